import { type Container, dockerOrThrow } from "../../host/docker.ts";
import { isBackend } from "../backend-names.ts";
import { Blocked, type Rule } from "../rule.ts";
import { type Role, type Submission, VARIABLES } from "../submission.ts";
import { finding, text, untranslated } from "../text.ts";

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
export const onHostNetwork = ({ config }: Submission): string[] =>
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
