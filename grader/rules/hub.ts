import { type Image, inspect } from "../../host/docker.ts";
import { buildOptionsOf } from "../compose-file.ts";
import { labelsOf } from "../dockerfile.ts";
import { parseHubAddress } from "../hub-address.ts";
import { DOCKER_HUB, whyNotPullable } from "../registry.ts";
import { Blocked, type Grading, type Rule } from "../rule.ts";
import { FOLDER, ROLES, type Role, textOf } from "../submission.ts";
import { type Finding, finding, type Text, text, untranslated } from "../text.ts";

/** What is known of the label `hub_url` of one image. */
interface HubLabel {
  readonly role: Role;
  /** The path of the Dockerfile in the submission. */
  readonly dockerfile: string;
  /** The names of the labels that the Dockerfile sets. */
  readonly names: readonly string[];
  /** The label of the built image, else of the Dockerfile; `undefined` if there is none, or it cannot be told. */
  readonly value: string | undefined;
}

async function readLabel({ submission, stack, verdict }: Grading, role: Role): Promise<HubLabel> {
  const service = submission.services[role];
  const dockerfile = service?.dockerfile ?? `${FOLDER[role]}/Dockerfile`;
  const labels = labelsOf(textOf(submission, dockerfile) ?? "", buildOptionsOf(service?.definition ?? {}));
  const label = { role, dockerfile, names: [...labels.keys()] };
  if (verdict("up") !== "pass") return { ...label, value: labels.get("hub_url") };
  const { Config } = await inspect<Image>((await stack.container(role)).Image);
  return { ...label, value: Config.Labels?.hub_url };
}

export const label: Rule = {
  id: "label",
  points: 2,
  title: text("Dockerfiles and images have a hub_url label", "les Dockerfiles et les images ont un label hub_url"),
  source:
    "L'adresse des images sur le Dockerhub devra figurer dans un champs LABEL de chaque Dockerfile, ayant pour valeur hub_url",
  needs: [],
  async check(grading) {
    const isBuilt = grading.verdict("up") === "pass";
    if (!isBuilt) grading.notes.label = DOCKERFILES_ONLY;
    const labels = await Promise.all(ROLES.map((role) => readLabel(grading, role)));
    return [...labels.flatMap((one) => checkLabel(one, isBuilt)), ...checkDistinct(labels)];
  },
};

const DOCKERFILES_ONLY = text(
  "judged by the Dockerfiles alone, as there are no images",
  "évaluée d'après les Dockerfiles seuls, faute d'images",
);

function checkLabel({ role, dockerfile, names, value }: HubLabel, isBuilt: boolean): Finding[] {
  if (!names.includes("hub_url")) return [labelFinding(noLabel(dockerfile, names.join(", ")), dockerfile, role)];
  if (value === undefined) return isBuilt ? [labelFinding(notInImage(role), dockerfile, role)] : [];
  const address = parseHubAddress(value);
  return "fault" in address ? [labelFinding(wrongLabel(role, value, address.fault), dockerfile, role)] : [];
}

const noLabel = (dockerfile: string, labels: string) =>
  text(
    `the last stage of ${dockerfile} sets no hub_url label (its labels: ${labels || "none"})`,
    `la dernière étape de ${dockerfile} ne définit pas de label hub_url (ses labels : ${labels || "aucun"})`,
  );

const notInImage = (role: Role) =>
  text(`the image of the ${role} has no label hub_url`, `l'image du ${role} n'a pas de label hub_url`);

const wrongLabel = (role: Role, value: string, fault: Text) =>
  text(
    `the ${role} has the label hub_url=${JSON.stringify(value)}: ${fault.en}`,
    `le ${role} a le label hub_url=${JSON.stringify(value)} : ${fault.fr}`,
  );

const labelFinding = (seen: Text, dockerfile: string, role: Role) =>
  finding(
    seen,
    text("hub_url with the image's address on Docker Hub", "hub_url avec l'adresse de l'image sur Docker Hub"),
    text(
      `In the last stage of ${dockerfile}:  LABEL hub_url="docker.io/<account>/${FOLDER[role]}"`,
      `Dans la dernière étape de ${dockerfile} :  LABEL hub_url="docker.io/<compte>/${FOLDER[role]}"`,
    ),
  );

/** The subject asks for the address of each image: `latest` can only be one of them. */
function checkDistinct(labels: readonly HubLabel[]): Finding[] {
  const [first, second] = labels.map(repositoryOf);
  return first !== undefined && first === second ? [sameRepository(first)] : [];
}

function repositoryOf({ value = "" }: HubLabel): string | undefined {
  const address = parseHubAddress(value);
  return "repository" in address ? address.repository : undefined;
}

const sameRepository = (repository: string) =>
  finding(
    text(
      `hub_url names the same repository for both images: ${repository}`,
      `hub_url désigne le même dépôt pour les deux images : ${repository}`,
    ),
    text("the address of each image", "l'adresse de chaque image"),
    text(
      "Publish each image in a repository of its own, and name it in the image's Dockerfile.",
      "Publiez chaque image dans son propre dépôt, et indiquez-le dans le Dockerfile de l'image.",
    ),
  );

export const published: Rule = {
  id: "published",
  points: 2,
  title: text("both images are on Docker Hub, tagged latest", "les deux images sont sur Docker Hub, taguées latest"),
  source:
    "Vous devrez également publier vos images sur un compte Dockerhub […] La version fonctionnelle doit être taggué en latest",
  needs: ["label"],
  async check(grading) {
    const findings: Finding[] = [];
    for (const role of ROLES) {
      const repository = repositoryOf(await readLabel(grading, role));
      // The Dockerfile alone does not tell it.
      if (repository === undefined) throw new Blocked("up");
      const reason = await whyNotPullable(grading.registry ?? DOCKER_HUB, repository, "latest");
      if (reason === undefined) continue;
      findings.push(notPullable(`${grading.registry ?? "docker.io"}/${repository}:latest`, reason));
    }
    return findings;
  },
};

const notPullable = (image: string, reason: Text) =>
  finding(
    text(`${image} cannot be pulled: ${reason.en}`, `${image} ne peut pas être téléchargée : ${reason.fr}`),
    text("a public image with the tag latest", "une image publique avec le tag latest"),
    untranslated(`docker push ${image}`),
  );
