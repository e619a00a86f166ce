import { brief, type Outcome } from "../../host/command.ts";
import { type Container, docker, dockerOrThrow } from "../../host/docker.ts";
import { isBackend } from "../backend-names.ts";
import { pullImages } from "../base-images.ts";
import { requireEngine } from "../compose.ts";
import { dependenciesOf } from "../compose-file.ts";
import { troubleIn, Ungradable } from "../errors.ts";
import { Blocked, type Rule } from "../rule.ts";
import type { Stack } from "../stack.ts";
import { FOLDER, PORT, ROLES, type Role, type Submission, VARIABLES } from "../submission.ts";
import { type Finding, finding, type Text, text, untranslated } from "../text.ts";

/** A container that restarts this often is crashing in a loop. */
const MAX_RESTARTS = 3;
/** How long a container must keep running. */
const STABLE_S = 2;
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
  const end = brief((stderr + stdout).trim().split("\n").slice(-6).join(" "), 400);
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
  let restarts = 0;
  while (Date.now() < stableAt) {
    const container = await stack.container(role);
    if (container.RestartCount > restarts) stableAt = Date.now() + STABLE_AFTER_RESTART_S * 1000;
    restarts = container.RestartCount;
    const isRunning = ["running", "restarting"].includes(container.State.Status);
    if (!isRunning || restarts >= MAX_RESTARTS) {
      const log = await docker(["logs", "--tail", "5", container.Id]);
      return [notRunning(role, container, brief(log.stderr, 300))];
    }
    await Bun.sleep(700);
  }
  return [];
}

const notRunning = (role: Role, { State }: Container, log: string) =>
  finding(
    text(
      `the ${role} container does not keep running (${State.Status}, exit code ${State.ExitCode}) ${log}`,
      `le conteneur du ${role} s'arrête (${State.Status}, code de sortie ${State.ExitCode}) ${log}`,
    ),
    text("the container keeps running", "le conteneur reste en fonctionnement"),
    text("Check docker-compose logs.", "Consultez docker-compose logs."),
  );

export const order: Rule = {
  id: "order",
  points: 2,
  title: text("the backend starts before the frontend", "le backend est lancé avant le frontend"),
  source: "Attention, le conteneur Backend devra être lancé avant le frontend lors d'un docker-compose up",
  needs: ["up"],
  async check({ submission, stack }) {
    const { backend, frontend } = submission.services;
    if (backend === undefined || frontend === undefined) return [];
    if (!dependenciesOf(submission.config, frontend.name).has(backend.name)) {
      const seen = text(
        `${frontend.name} has neither depends_on nor links to ${backend.name}`,
        `${frontend.name} n'a ni depends_on ni links vers ${backend.name}`,
      );
      return [wrongOrder(seen, frontend.name, backend.name)];
    }
    const [first, second] = [await stack.container("backend"), await stack.container("frontend")];
    if (Date.parse(first.State.StartedAt) <= Date.parse(second.State.StartedAt) || first.RestartCount > 0) return [];
    const seen = text(
      `Docker started the backend at ${first.State.StartedAt}, the frontend at ${second.State.StartedAt}`,
      `Docker a lancé le backend à ${first.State.StartedAt}, le frontend à ${second.State.StartedAt}`,
    );
    return [wrongOrder(seen, frontend.name, backend.name)];
  },
};

const wrongOrder = (seen: Text, frontend: string, backend: string) =>
  finding(
    seen,
    text("the frontend depends on the backend", "le frontend dépend du backend"),
    text(
      `In docker-compose.yaml, under ${frontend}:  depends_on: [${backend}]`,
      `Dans docker-compose.yaml, sous ${frontend} :  depends_on: [${backend}]`,
    ),
  );

const variableOf = ({ Config }: Container, variable: string) =>
  Config.Env.find((entry) => entry.startsWith(`${variable}=`))?.slice(variable.length + 1);

export const variables: Rule = {
  id: "variables",
  points: 1,
  title: text("both variables of the frontend are set", "les deux variables du frontend sont renseignées"),
  source:
    "les variables API_BACKEND_URL et API_BACKEND_PORT. Ces variables d'environement sont utilisées par l'applicatif et doivent absolument être renseignées",
  needs: ["up"],
  async check({ stack }) {
    const container = await stack.container("frontend");
    return VARIABLES.filter((variable) => !variableOf(container, variable)).map(notSet);
  },
};

const notSet = (variable: string) =>
  finding(
    text(
      `${variable} is not set in the frontend container`,
      `${variable} n'est pas renseignée dans le conteneur du frontend`,
    ),
    variable.endsWith("PORT")
      ? text(`${variable} with the backend's port`, `${variable} avec le port du backend`)
      : text(`${variable} with the backend's host name`, `${variable} avec le nom d'hôte du backend`),
    text(
      "Set it under environment: in docker-compose.yaml.",
      "Renseignez-la sous environment: dans docker-compose.yaml.",
    ),
  );

export const network: Rule = {
  id: "network",
  points: 1,
  title: text("both services share a bridge network", "les deux services partagent un réseau bridge"),
  source: "Assurez vous que les deux containers puissent communiquer sur le même réseau bridge",
  needs: [],
  async check({ submission, stack, verdict }) {
    const onHost = onHostNetwork(submission);
    if (onHost.length > 0) return [hostNetwork(onHost)];
    if (verdict("up") !== "pass") throw new Blocked("up");
    const [backend, frontend] = [await stack.container("backend"), await stack.container("frontend")];
    const networks = { backend: networksOf(backend), frontend: networksOf(frontend) };
    const shared = networks.backend.filter((name) => networks.frontend.includes(name));
    const drivers = await Promise.all(
      shared.map((name) => dockerOrThrow("network", "inspect", "--format", "{{.Driver}}", name)),
    );
    const bridges = shared.filter((_, i) => drivers[i] === "bridge");
    if (bridges.length === 0) return [noSharedBridge(networks)];
    const url = variableOf(frontend, "API_BACKEND_URL");
    if (url === undefined || isBackend(url, backend, frontend, bridges)) return [];
    return [notTheBackend(url)];
  },
};

/** The services on the network of the machine: they are not started, as they would be open to it. */
const onHostNetwork = ({ config }: Submission): string[] =>
  Object.entries(config.services)
    .filter(([, { network_mode }]) => network_mode === "host")
    .map(([name]) => name);

const hostNetwork = (services: readonly string[]) =>
  finding(
    untranslated(`network_mode: host (${services.join(", ")})`),
    text("a bridge network shared by both services", "un réseau bridge commun aux deux services"),
    text("Remove network_mode: host. Nothing was started.", "Retirez network_mode: host. Rien n'a été lancé."),
  );

const networksOf = ({ NetworkSettings }: Container) => Object.keys(NetworkSettings.Networks);

const noSharedBridge = ({ backend, frontend }: Record<Role, string[]>) =>
  finding(
    untranslated(`backend: ${backend}; frontend: ${frontend}`),
    text("a bridge network shared by both services", "un réseau bridge commun aux deux services"),
    text(
      "Put both services on the same network, with the driver bridge.",
      "Placez les deux services sur un même réseau, de type bridge.",
    ),
  );

const notTheBackend = (url: string) =>
  finding(
    text(
      `API_BACKEND_URL=${url} is not a name of the backend on that network`,
      `API_BACKEND_URL=${url} n'est pas un nom du backend sur ce réseau`,
    ),
    text("the name of the backend service", "le nom du service backend"),
    text(
      "Set API_BACKEND_URL to the name of the backend service.",
      "Donnez à API_BACKEND_URL le nom du service backend.",
    ),
  );
