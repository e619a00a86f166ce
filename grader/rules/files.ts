import { type Image, inspect } from "../../host/docker.ts";
import { DOCKER_HUB, whyNotPullable } from "../registry.ts";
import type { Case, Rule } from "../rule.ts";
import { COMPOSE_FILES, entriesOf, FOLDER, labelsOf, ROLES, type Role } from "../submission.ts";
import { type Finding, finding, same, text } from "../text.ts";

export const tree: Rule = {
  id: "tree",
  points: 1,
  title: text("the tree of the subject", "l'arborescence du sujet"),
  source:
    "Vous devriez avoir une arborescence telle que : LICENSE, README.md, api-backend, api-frontend, docker-compose.yaml",
  needs: [],
  async check({ submission }) {
    const top = entriesOf(submission, "");
    const missing = ["LICENSE", "README.md"].filter((name) => !top.includes(name));
    const [yaml, yml] = COMPOSE_FILES;
    if (!top.includes(yaml ?? "") && !top.includes(yml ?? "")) missing.push("docker-compose.yaml");
    for (const role of ROLES) {
      const inside = entriesOf(submission, FOLDER[role]);
      if (!inside.includes("Dockerfile")) missing.push(`${FOLDER[role]}/Dockerfile`);
      if (inside.every((name) => name === "Dockerfile" || name.startsWith("."))) missing.push(`${FOLDER[role]}/api.*`);
    }
    return missing.map((path) =>
      finding(
        text(`there is no ${path}`, `il n'y a pas de ${path}`),
        text(`${path}, spelt exactly so`, `${path}, écrit exactement ainsi`),
        text("Create it, or rename what is there.", "Créez-le, ou renommez ce qui existe."),
      ),
    );
  },
};

/** The account and the image of a label, whatever way the address is written; the version is `latest` if any. */
export function hubRepository(label: string): string | undefined {
  const address = label
    .trim()
    .replace(/^https?:\/\//, "")
    .replace(/^(www\.)?hub\.docker\.com\/(repository\/docker|r)\//, "")
    .replace(/^(registry-1|registry\.hub|index)?\.?docker\.(io|com)\//, "")
    .replace(/\/(general|tags|builds)?\/?$/, "");
  return /^([a-z0-9][a-z0-9_-]{1,254}\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)(?::latest)?$/.exec(address)?.[1];
}

/** The `hub_url` of the image that was built for a service. */
async function builtLabel({ stack }: Case, role: Role): Promise<string | undefined> {
  const { Image } = await stack.container(role);
  return (await inspect<Image>(Image)).Config.Labels?.hub_url;
}

export const label: Rule = {
  id: "label",
  points: 2,
  title: text("hub_url in both Dockerfiles and images", "hub_url dans les Dockerfiles et les images"),
  source:
    "L'adresse des images sur le Dockerhub devra figurer dans un champs LABEL de chaque Dockerfile, ayant pour valeur hub_url",
  needs: ["up"],
  async check(graded) {
    const findings: Finding[] = [];
    for (const role of ROLES) {
      const service = graded.submission.services[role];
      if (service === undefined) continue;
      const place = service.dockerfile ?? `${FOLDER[role]}/Dockerfile`;
      const labels = labelsOf(graded.submission, service);
      const built = await builtLabel(graded, role);
      const mend = text(
        `In the last stage of ${place}:  LABEL hub_url="docker.io/<account>/${FOLDER[role]}"`,
        `Dans la dernière étape de ${place} :  LABEL hub_url="docker.io/<compte>/${FOLDER[role]}"`,
      );
      const expected = text(
        "hub_url with the image's address on Docker Hub",
        "hub_url avec l'adresse de l'image sur Docker Hub",
      );
      if (!("hub_url" in labels)) {
        const others = Object.keys(labels).join(", ") || "—";
        findings.push(
          finding(
            text(
              `the last stage of ${place} gives no label hub_url (its labels: ${others})`,
              `la dernière étape de ${place} ne donne pas de label hub_url (ses labels : ${others})`,
            ),
            expected,
            mend,
          ),
        );
      } else if (built === undefined || hubRepository(built) === undefined) {
        findings.push(
          finding(
            text(
              `the image of ${service.name} says hub_url=${JSON.stringify(built ?? null)}`,
              `l'image de ${service.name} dit hub_url=${JSON.stringify(built ?? null)}`,
            ),
            expected,
            mend,
          ),
        );
      }
    }
    return findings;
  },
};

export const published: Rule = {
  id: "published",
  points: 2,
  title: text("the images on Docker Hub, as latest", "les images sur Docker Hub, en latest"),
  source:
    "Vous devrez également publier vos images sur un compte Dockerhub […] La version fonctionnelle doit être taggué en latest",
  needs: ["label"],
  async check(graded) {
    const findings: Finding[] = [];
    for (const role of ROLES) {
      const repository = hubRepository((await builtLabel(graded, role)) ?? "") ?? "";
      const host = graded.registry ?? DOCKER_HUB;
      const trouble = await whyNotPullable(host, repository, "latest");
      if (trouble === undefined) continue;
      const image = `${graded.registry ?? "docker.io"}/${repository}:latest`;
      findings.push(
        finding(
          text(`${image} cannot be pulled: ${trouble}`, `${image} ne peut pas être tirée : ${trouble}`),
          text("a public image with the tag latest", "une image publique avec le tag latest"),
          same(`docker push ${image}`),
        ),
      );
    }
    return findings;
  },
};
