import { basename, dirname } from "node:path";
import type { Rule } from "../rule.ts";
import { COMPOSE_FILES, entriesOf, FOLDER, isFile, ROLES } from "../submission.ts";
import { finding, text } from "../text.ts";

export const tree: Rule = {
  id: "tree",
  points: 1,
  title: text("the required files and folders are there", "l'arborescence demandée est respectée"),
  source:
    "Vous devriez avoir une arborescence telle que : LICENSE, README.md, api-backend, api-frontend, docker-compose.yaml",
  needs: [],
  async check({ submission }) {
    // The names as well: some file systems do not tell `License` from `LICENSE`.
    const isMissing = (path: string) =>
      !entriesOf(submission, dirname(path)).includes(basename(path)) || !isFile(submission, path);
    const missing = ["LICENSE", "README.md"].filter(isMissing);
    if (COMPOSE_FILES.slice(0, 2).every(isMissing)) missing.push("docker-compose.yaml");
    for (const role of ROLES) {
      const entries = entriesOf(submission, FOLDER[role]);
      if (isMissing(`${FOLDER[role]}/Dockerfile`)) missing.push(`${FOLDER[role]}/Dockerfile`);
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
