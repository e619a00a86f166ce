import { type Image, inspect } from "../../host/docker.ts";
import { DOCKER_HUB, whyNotPullable } from "../registry.ts";
import type { Grading, Rule } from "../rule.ts";
import { COMPOSE_FILES, entriesOf, FOLDER, labelsOf, ROLES, type Role } from "../submission.ts";
import { type Finding, finding, type Text, text, untranslated } from "../text.ts";

export const tree: Rule = {
  id: "tree",
  points: 1,
  title: text("the required files and folders are there", "l'arborescence demandée est respectée"),
  source:
    "Vous devriez avoir une arborescence telle que : LICENSE, README.md, api-backend, api-frontend, docker-compose.yaml",
  needs: [],
  async check({ submission }) {
    const top = entriesOf(submission, "");
    const missing = ["LICENSE", "README.md"].filter((name) => !top.includes(name));
    const [yaml, yml] = COMPOSE_FILES;
    if (!top.includes(yaml ?? "") && !top.includes(yml ?? "")) missing.push("docker-compose.yaml");
    for (const role of ROLES) {
      const entries = entriesOf(submission, FOLDER[role]);
      if (!entries.includes("Dockerfile")) missing.push(`${FOLDER[role]}/Dockerfile`);
      if (entries.every((name) => name === "Dockerfile" || name.startsWith("."))) missing.push(`${FOLDER[role]}/api.*`);
    }
    return missing.map(fileMissing);
  },
};

const fileMissing = (path: string) =>
  finding(
    text(`${path} is missing`, `${path} est absent`),
    text(`${path}, under exactly this name`, `${path}, sous ce nom exact`),
    text("Create it, or rename the existing one.", "Créez-le, ou renommez l'existant."),
  );

/**
 * The repository on Docker Hub that a label names, as `account/image`, however the address is written; `undefined` if it
 * names none, or another tag than `latest`.
 */
export function hubRepository(label: string): string | undefined {
  const address = label
    .trim()
    .replace(/^https?:\/\//, "")
    .replace(/^(www\.)?hub\.docker\.com\/(repository\/docker|r)\//, "")
    .replace(/^(registry-1|registry\.hub|index)?\.?docker\.(io|com)\//, "")
    .replace(/\/(general|tags|builds)?\/?$/, "");
  return /^([a-z0-9][a-z0-9_-]{1,254}\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)(?::latest)?$/.exec(address)?.[1];
}

/** The `hub_url` label of the image that was built for a service. */
async function builtLabel({ stack }: Grading, role: Role): Promise<string | undefined> {
  const { Image } = await stack.container(role);
  return (await inspect<Image>(Image)).Config.Labels?.hub_url;
}

export const label: Rule = {
  id: "label",
  points: 2,
  title: text("Dockerfiles and images have a hub_url label", "les Dockerfiles et les images ont un label hub_url"),
  source:
    "L'adresse des images sur le Dockerhub devra figurer dans un champs LABEL de chaque Dockerfile, ayant pour valeur hub_url",
  needs: ["up"],
  async check(grading) {
    const findings: Finding[] = [];
    for (const role of ROLES) {
      const service = grading.submission.services[role];
      if (service === undefined) continue;
      const labels = labelsOf(grading.submission, service);
      const built = await builtLabel(grading, role);
      const dockerfile = service.dockerfile ?? `${FOLDER[role]}/Dockerfile`;
      if (!("hub_url" in labels)) {
        const seen = noLabel(dockerfile, Object.keys(labels).join(", "));
        findings.push(labelFinding(seen, dockerfile, FOLDER[role]));
      } else if (built === undefined || hubRepository(built) === undefined) {
        const seen = wrongLabel(service.name, JSON.stringify(built ?? null));
        findings.push(labelFinding(seen, dockerfile, FOLDER[role]));
      }
    }
    return findings;
  },
};

const noLabel = (dockerfile: string, labels: string) =>
  text(
    `the last stage of ${dockerfile} sets no hub_url label (its labels: ${labels || "none"})`,
    `la dernière étape de ${dockerfile} ne définit pas de label hub_url (ses labels : ${labels || "aucun"})`,
  );

const wrongLabel = (service: string, hubUrl: string) =>
  text(`the image of ${service} has the label hub_url=${hubUrl}`, `l'image de ${service} a le label hub_url=${hubUrl}`);

const labelFinding = (seen: Text, dockerfile: string, folder: string) =>
  finding(
    seen,
    text("hub_url with the image's address on Docker Hub", "hub_url avec l'adresse de l'image sur Docker Hub"),
    text(
      `In the last stage of ${dockerfile}:  LABEL hub_url="docker.io/<account>/${folder}"`,
      `Dans la dernière étape de ${dockerfile} :  LABEL hub_url="docker.io/<compte>/${folder}"`,
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
      const repository = hubRepository((await builtLabel(grading, role)) ?? "") ?? "";
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
