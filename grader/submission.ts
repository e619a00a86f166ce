import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { DockerfileParser } from "dockerfile-ast";
import { compose } from "./compose.ts";
import { buildOf, type ComposeConfig, type ComposeService, environmentOf, portsOf } from "./compose-file.ts";
import { Ungradable } from "./errors.ts";

/** The two services of the subject. */
export type Role = "backend" | "frontend";
export const ROLES: readonly Role[] = ["backend", "frontend"];

/** What the subject prescribes for each. */
export const FOLDER = { backend: "api-backend", frontend: "api-frontend" } as const;
export const PORT = { backend: 8001, frontend: 8000 } as const;
export const VARIABLES = ["API_BACKEND_URL", "API_BACKEND_PORT"] as const;

/** The file names that Compose accepts, starting with the subject's. */
export const COMPOSE_FILES = ["docker-compose.yaml", "docker-compose.yml", "compose.yaml", "compose.yml"];

/** The service that plays one of the two roles. */
export interface Service {
  readonly role: Role;
  /** Its name in the Compose file. */
  readonly name: string;
  readonly definition: ComposeService;
  /** Its Dockerfile, relative to the folder, if there is one. */
  readonly dockerfile: string | undefined;
}

/** What a folder contains, before anything of it runs. */
export interface Submission {
  /** The folder as given on the command line. */
  readonly name: string;
  /** The folder's absolute path. */
  readonly folder: string;
  readonly config: ComposeConfig;
  readonly services: Readonly<Partial<Record<Role, Service>>>;
}

/**
 * Reads a submission.
 *
 * @throws {Ungradable} if there is no such folder, or Compose rejects its file
 */
export async function readSubmission(name: string): Promise<Submission> {
  const folder = resolve(name);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new Ungradable(`${name}: no such folder`);
  const composeFile = COMPOSE_FILES.find((file) => existsSync(join(folder, file)));
  const config = composeFile === undefined ? { services: {} } : await compose.config(folder, composeFile);
  const services: Partial<Record<Role, Service>> = {};
  for (const role of ROLES) {
    const service = findService(config, role, services);
    const definition = config.services[service ?? ""];
    if (service === undefined || definition === undefined) continue;
    services[role] = { role, name: service, definition, dockerfile: findDockerfile(folder, definition, role) };
  }
  return { name, folder, config, services };
}

/** Finds a service by its port, else by its folder, else by its variables; never by its name. */
function findService(config: ComposeConfig, role: Role, found: Partial<Record<Role, Service>>): string | undefined {
  const taken = Object.values(found).map(({ name }) => name);
  const candidates = Object.keys(config.services).filter((name) => !taken.includes(name));
  const otherRole = role === "backend" ? "frontend" : "backend";
  const isBuiltFor = (service: ComposeService, wanted: Role) =>
    buildFoldersOf(service).some((folder) => basename(folder) === FOLDER[wanted]);
  const criteria: ((service: ComposeService) => boolean)[] = [
    (service) => portsOf(service).some((port) => [port.hostPort, port.containerPort].includes(PORT[role])),
    (service) => (service.expose ?? []).some((port) => Number.parseInt(String(port), 10) === PORT[role]),
    (service) => isBuiltFor(service, role),
    (service) => VARIABLES.some((variable) => variable in environmentOf(service)) === (role === "frontend"),
  ];
  for (const criterion of criteria) {
    const matches = candidates.filter((name) => criterion(config.services[name] ?? {}));
    const [first] = matches.filter((name) => !isBuiltFor(config.services[name] ?? {}, otherRole));
    if (matches.length > 0) return first ?? matches[0];
  }
  return undefined;
}

/** The folders of a service's build context and of its Dockerfile. */
function buildFoldersOf(service: ComposeService): string[] {
  const build = buildOf(service);
  return build === undefined ? [] : [build.context, join(build.context, build.dockerfile, "..")];
}

function findDockerfile(folder: string, service: ComposeService, role: Role): string | undefined {
  const { context, dockerfile } = buildOf(service) ?? { context: FOLDER[role], dockerfile: "Dockerfile" };
  const path = resolve(folder, context, dockerfile);
  return existsSync(path) ? relative(folder, path) : undefined;
}

const parseDockerfile = (submission: Submission, path: string) =>
  DockerfileParser.parse(readFileSync(join(submission.folder, path), "utf8"));

/** The images that a Dockerfile starts from, without its own stages. */
export function baseImagesOf(submission: Submission, service: Service): string[] {
  if (service.dockerfile === undefined) return [];
  const stages = parseDockerfile(submission, service.dockerfile).getFROMs();
  const names = stages.map((stage) => stage.getBuildStage());
  return stages.map((stage) => stage.getImage() ?? "").filter((image) => !names.includes(image));
}

/** The names in a folder of the submission; none if the folder is missing. */
export function entriesOf(submission: Submission, path: string): string[] {
  const folder = join(submission.folder, path);
  return existsSync(folder) ? readdirSync(folder) : [];
}
