import { brief, type Outcome } from "../../host/command.ts";
import { type Container, docker } from "../../host/docker.ts";
import { pullImages } from "../base-images.ts";
import { requireEngine } from "../compose.ts";
import { statusText } from "../container-status.ts";
import { troubleIn, Ungradable } from "../errors.ts";
import { Blocked, type Rule } from "../rule.ts";
import type { Stack } from "../stack.ts";
import { FOLDER, PORT, ROLES, type Role } from "../submission.ts";
import { type Finding, finding, text } from "../text.ts";
import { onHostNetwork } from "./network.ts";

/** A container that restarts this often is crashing in a loop. */
const MAX_RESTARTS = 3;
/** How long a container must keep running. */
const STABLE_S = 2;
/** A backend that does not respond is watched for so long: it may crash before it does. */
const RESPONSE_S = 15;
/** How long a container must keep running after a restart. */
const STABLE_AFTER_RESTART_S = 4;

export const up: Rule = {
  id: "up",
  points: 1,
  title: text("Compose builds and starts both services", "Compose construit et lance les deux services"),
  source: "un fichier docker-compose.yaml pour le déploiement automatique des deux applicatifs",
  needs: [],
  async check({ submission, stack }) {
    if (submission.invalid !== undefined) return [invalidFile(submission.invalid)];
    const missing = ROLES.find((role) => submission.services[role] === undefined);
    if (missing !== undefined) return [noService(missing)];
    if (onHostNetwork(submission).length > 0) throw new Blocked("network");
    await pullImages(submission);
    const build = await stack.build();
    if (build.code !== 0) return [await composeFailed("build", build)];
    const start = await stack.up();
    if (start.code !== 0) return [await composeFailed("up -d", start)];
    return (await Promise.all(ROLES.map((role) => checkKeepsRunning(stack, role)))).flat();
  },
};

const invalidFile = (message: string) =>
  finding(
    text(`Compose rejects the file: ${message}`, `Compose refuse le fichier : ${message}`),
    text("a valid docker-compose.yaml", "un docker-compose.yaml valide"),
    text("Run docker-compose config and fix the errors.", "Lancez docker-compose config et corrigez les erreurs."),
  );

const noService = (role: Role) =>
  finding(
    text(`no service of the Compose file is the ${role}`, `aucun service du fichier Compose ne correspond au ${role}`),
    text(
      `a service that publishes port ${PORT[role]} and is built from ${FOLDER[role]}`,
      `un service qui publie le port ${PORT[role]} et qui est construit à partir de ${FOLDER[role]}`,
    ),
    text("Define both services in docker-compose.yaml.", "Définissez les deux services dans docker-compose.yaml."),
  );

/** @throws {Ungradable} if the machine, the network or a registry is the cause */
async function composeFailed(command: string, { code, stdout, stderr }: Outcome): Promise<Finding> {
  await requireEngine();
  const trouble = code === 124 ? undefined : troubleIn(stderr);
  if (trouble !== undefined) throw new Ungradable(brief(trouble, 300), true);
  // The error is at the end.
  const end = brief(`${stdout}\n${stderr}`.trim().split("\n").slice(-6).join(" ").slice(-400), 400);
  return finding(
    text(`docker-compose ${command} failed: ${end}`, `docker-compose ${command} a échoué : ${end}`),
    text(
      "both images are built and both containers start",
      "les deux images sont construites et les deux conteneurs démarrent",
    ),
    text(
      `Run docker-compose ${command} and fix the errors that it reports.`,
      `Lancez docker-compose ${command} et corrigez les erreurs affichées.`,
    ),
  );
}

async function checkKeepsRunning(stack: Stack, role: Role): Promise<Finding[]> {
  let stableAt = Date.now() + STABLE_S * 1000;
  const watchedUntil = Date.now() + RESPONSE_S * 1000;
  let restarts = 0;
  // A frontend may rightly fail a request while the backend starts.
  let responds = role === "frontend";
  while (Date.now() < stableAt || (!responds && Date.now() < watchedUntil)) {
    const container = await stack.container(role);
    if (container.RestartCount > restarts) stableAt = Date.now() + STABLE_AFTER_RESTART_S * 1000;
    restarts = container.RestartCount;
    const isRunning = ["running", "restarting"].includes(container.State.Status);
    if (!isRunning || restarts >= MAX_RESTARTS) {
      const log = await docker(["logs", "--tail", "5", container.Id]);
      return [notRunning(role, container, brief(log.stderr, 300))];
    }
    responds ||= "status" in (await stack.get(role, 1));
    await Bun.sleep(700);
  }
  return [];
}

function notRunning(role: Role, { State }: Container, log: string): Finding {
  const { en, fr } = statusText(State.Status);
  return finding(
    text(
      `the ${role} container does not keep running (${en}, exit code ${State.ExitCode}) ${log}`,
      `le conteneur du ${role} ne reste pas en marche (${fr}, code de sortie ${State.ExitCode}) ${log}`,
    ),
    text("the container keeps running", "le conteneur reste en fonctionnement"),
    text("Check docker-compose logs.", "Consultez docker-compose logs."),
  );
}
