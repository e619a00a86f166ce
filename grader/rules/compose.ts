import { brief } from "../../host/command.ts";
import { type Container, docker, dockerOrThrow } from "../../host/docker.ts";
import { startedBefore } from "../compose-file.ts";
import type { Case, Rule } from "../rule.ts";
import { FOLDER, PORT, ROLES, type Role, VARIABLES } from "../submission.ts";
import { type Finding, finding, same, text } from "../text.ts";

/** Restarts after which a container counts as one that cannot run. */
const HOPELESS = 3;

/** Seconds that a container is watched for. */
const WATCH = 2;

export const up: Rule = {
  id: "up",
  points: 1,
  title: text("up builds and starts both", "up construit et lance les deux"),
  source: "un fichier docker-compose.yaml pour le déploiement automatique des deux applicatifs",
  needs: [],
  async check({ submission, stack }) {
    for (const role of ROLES) {
      if (submission.services[role] !== undefined) continue;
      return [
        finding(
          text(
            `no service of the Compose file can be the ${role}`,
            `aucun service du fichier Compose ne peut être le ${role}`,
          ),
          text(
            `a service that publishes port ${PORT[role]} and is built from ${FOLDER[role]}`,
            `un service qui publie le port ${PORT[role]} et est construit depuis ${FOLDER[role]}`,
          ),
          text(
            "Describe both services in docker-compose.yaml.",
            "Décrivez les deux services dans docker-compose.yaml.",
          ),
        ),
      ];
    }
    for (const [step, name] of [
      [stack.build, "build"],
      [stack.up, "up -d"],
    ] as const) {
      const { code, stdout, stderr } = await step();
      if (code === 0) continue;
      const end = brief((stderr + stdout).trim().split("\n").slice(-6).join(" "), 400);
      return [
        finding(
          text(`docker-compose ${name} failed: ${end}`, `docker-compose ${name} a échoué : ${end}`),
          text(
            "both images are built and both containers are started",
            "les deux images sont construites et les deux conteneurs lancés",
          ),
          text(
            `Run docker-compose ${name} and mend what it reports.`,
            `Lancez docker-compose ${name} et corrigez ce qu'il signale.`,
          ),
        ),
      ];
    }
    return (await Promise.all(ROLES.map((role) => staysUp(stack, role)))).flat();
  },
};

/** A container must keep running for a while; one that the engine keeps starting again is watched longer. */
async function staysUp(stack: Case["stack"], role: Role): Promise<Finding[]> {
  let quiet = Date.now() + WATCH * 1000;
  let restarts = 0;
  while (Date.now() < quiet) {
    const { State, RestartCount, Id } = await stack.container(role);
    if (RestartCount > restarts) quiet = Date.now() + 2 * WATCH * 1000;
    restarts = RestartCount;
    const gone = State.Status !== "running" && State.Status !== "restarting";
    if (gone || restarts >= HOPELESS) {
      const log = brief((await docker(["logs", "--tail", "5", Id])).stderr, 300);
      return [
        finding(
          text(
            `the ${role}'s container does not keep running (${State.Status}, code ${State.ExitCode}) ${log}`,
            `le conteneur du ${role} ne reste pas lancé (${State.Status}, code ${State.ExitCode}) ${log}`,
          ),
          text("a container that runs", "un conteneur qui tourne"),
          text(`See docker-compose logs ${role}.`, `Voyez docker-compose logs ${role}.`),
        ),
      ];
    }
    await Bun.sleep(700);
  }
  return [];
}

export const order: Rule = {
  id: "order",
  points: 2,
  title: text("the backend is started first", "le backend est lancé avant le frontend"),
  source: "Attention, le conteneur Backend devra être lancé avant le frontend lors d'un docker-compose up",
  needs: ["up"],
  async check({ submission, stack }) {
    const { backend, frontend } = submission.services;
    if (backend === undefined || frontend === undefined) return [];
    const mend = text(
      `In docker-compose.yaml, under ${frontend.name}:  depends_on: [${backend.name}]`,
      `Dans docker-compose.yaml, sous ${frontend.name} :  depends_on: [${backend.name}]`,
    );
    const expected = text("the frontend depends on the backend", "le frontend dépend du backend");
    if (!startedBefore(submission.config, frontend.name).has(backend.name)) {
      return [
        finding(
          text(
            `${frontend.name} has neither depends_on nor links with ${backend.name}`,
            `${frontend.name} n'a ni depends_on ni links avec ${backend.name}`,
          ),
          expected,
          mend,
        ),
      ];
    }
    const [first, second] = [await stack.container("backend"), await stack.container("frontend")];
    if (Date.parse(first.State.StartedAt) <= Date.parse(second.State.StartedAt) || first.RestartCount > 0) return [];
    return [
      finding(
        text(
          `the engine started the backend at ${first.State.StartedAt}, the frontend at ${second.State.StartedAt}`,
          `le moteur a lancé le backend à ${first.State.StartedAt}, le frontend à ${second.State.StartedAt}`,
        ),
        expected,
        mend,
      ),
    ];
  },
};

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
    return VARIABLES.filter((variable) => !variableOf(container, variable)).map((variable) =>
      finding(
        text(
          `${variable} is not set in the frontend's container`,
          `${variable} n'est pas renseignée dans le conteneur du frontend`,
        ),
        text(
          `${variable} with the backend's ${variable.endsWith("PORT") ? "port" : "host name"}`,
          `${variable} avec ${variable.endsWith("PORT") ? "le port" : "le nom d'hôte"} du backend`,
        ),
        text(
          "Set it under environment: in docker-compose.yaml.",
          "Renseignez-la sous environment: dans docker-compose.yaml.",
        ),
      ),
    );
  },
};

export const network: Rule = {
  id: "network",
  points: 1,
  title: text("both on one bridge network", "les deux sur un même réseau bridge"),
  source: "Assurez vous que les deux containers puissent communiquer sur le même réseau bridge",
  needs: ["up"],
  async check({ stack }) {
    const [backend, frontend] = [await stack.container("backend"), await stack.container("frontend")];
    const networksOf = ({ NetworkSettings }: Container) => Object.keys(NetworkSettings.Networks);
    const shared = networksOf(backend).filter((name) => networksOf(frontend).includes(name));
    const drivers = await Promise.all(
      shared.map((name) => dockerOrThrow("network", "inspect", "--format", "{{.Driver}}", name)),
    );
    const bridges = shared.filter((_, i) => drivers[i] === "bridge");
    const mend = text(
      "Put both services on one network of driver bridge.",
      "Mettez les deux services sur un même réseau de type bridge.",
    );
    const expected = text("a bridge network that both are on", "un réseau bridge commun aux deux");
    if (bridges.length === 0) {
      const where = `backend: ${networksOf(backend)}; frontend: ${networksOf(frontend)}`;
      return [finding(same(where), expected, mend)];
    }
    const given = variableOf(frontend, "API_BACKEND_URL");
    if (given === undefined || namesOf(backend, frontend, bridges).includes(hostOf(given))) return [];
    return [
      finding(
        text(
          `API_BACKEND_URL=${given} is no name of the backend on that network`,
          `API_BACKEND_URL=${given} n'est pas un nom du backend sur ce réseau`,
        ),
        text("the name of the backend's service", "le nom du service du backend"),
        text(
          "Give API_BACKEND_URL the name of the backend's service.",
          "Donnez à API_BACKEND_URL le nom du service du backend.",
        ),
      ),
    ];
  },
};

/** The subject wants a host name; an address that holds one is understood. */
const hostOf = (value: string) => value.replace(/^[a-z]+:\/\//i, "").replace(/[/:].*$/, "");

/** Under which names the frontend finds the backend: on a network, by a link, by address. */
function namesOf(backend: Container, frontend: Container, networks: readonly string[]): string[] {
  const settings = networks.map((name) => backend.NetworkSettings.Networks[name]);
  const links = (frontend.HostConfig.Links ?? [])
    .filter((link) => link.startsWith(`${backend.Name}:`))
    .map((link) => link.split("/").at(-1) ?? "");
  return [
    ...settings.flatMap((network) => [...(network?.Aliases ?? []), network?.IPAddress ?? ""]),
    ...links,
    backend.Name.slice(1),
  ];
}
