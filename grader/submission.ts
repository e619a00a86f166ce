import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { DockerfileParser, type Label } from "dockerfile-ast";
import { compose } from "./compose.ts";
import { type ComposeConfig, type ComposeService, environmentOf, portsOf } from "./compose-file.ts";
import { Ungradable } from "./errors.ts";

/** The two services of the subject. */
export type Role = "backend" | "frontend";
export const ROLES: readonly Role[] = ["backend", "frontend"];

/** What the subject fixes for each. */
export const FOLDER = { backend: "api-backend", frontend: "api-frontend" } as const;
export const PORT = { backend: 8001, frontend: 8000 } as const;
export const VARIABLES = ["API_BACKEND_URL", "API_BACKEND_PORT"] as const;

/** Names under which Compose finds its file, the subject's first. */
export const COMPOSE_FILES = ["docker-compose.yaml", "docker-compose.yml", "compose.yaml", "compose.yml"];

/** One of the two services, found. */
export interface Service {
  readonly role: Role;
  /** Its name in the Compose file. */
  readonly name: string;
  readonly definition: ComposeService;
  /** Its Dockerfile, relative to the folder, where there is one. */
  readonly dockerfile: string | undefined;
}

/** What a folder holds, before anything of it runs. */
export interface Submission {
  /** The folder as it was named. */
  readonly name: string;
  /** Its absolute path. */
  readonly folder: string;
  readonly composeFile: string | undefined;
  readonly config: ComposeConfig;
  readonly services: Readonly<Partial<Record<Role, Service>>>;
}

/**
 * Reads a folder.
 *
 * @throws {Ungradable} where there is no folder, or Compose does not understand its file
 */
export async function readSubmission(name: string): Promise<Submission> {
  const folder = resolve(name);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Ungradable(`${name}: there is no such folder`);
  const composeFile = COMPOSE_FILES.find((file) => existsSync(join(folder, file)));
  if (composeFile === undefined) return { name, folder, composeFile, config: { services: {} }, services: {} };
  const config = await compose.config(folder, composeFile);
  const services: Partial<Record<Role, Service>> = {};
  for (const role of ROLES) {
    const service = findService(config, role, services);
    const definition = service === undefined ? undefined : config.services[service];
    if (service === undefined || definition === undefined) continue;
    services[role] = { role, name: service, definition, dockerfile: findDockerfile(folder, definition, role) };
  }
  return { name, folder, composeFile, config, services };
}

/** By its port, else its folder, else its variables: never by its name. */
function findService(config: ComposeConfig, role: Role, found: Partial<Record<Role, Service>>): string | undefined {
  const taken = Object.values(found).map(({ name }) => name);
  const names = Object.keys(config.services).filter((name) => !taken.includes(name));
  const other = role === "backend" ? "frontend" : "backend";
  const marks: ((service: ComposeService) => boolean)[] = [
    (service) => portsOf(service).some(({ inside, outside }) => inside === PORT[role] || outside === PORT[role]),
    (service) => (service.expose ?? []).some((port) => Number.parseInt(String(port), 10) === PORT[role]),
    (service) => placesOf(service).some((place) => basename(place) === FOLDER[role]),
    (service) => VARIABLES.some((variable) => variable in environmentOf(service)) === (role === "frontend"),
  ];
  for (const mark of marks) {
    const marked = names.filter((name) => mark(config.services[name] ?? {}));
    const clear = marked.filter(
      (name) => !placesOf(config.services[name] ?? {}).some((place) => basename(place) === FOLDER[other]),
    );
    const [first] = clear.length > 0 ? clear : marked;
    if (first !== undefined) return first;
  }
  return undefined;
}

/** The folders that a service is built from: of its context, and of its Dockerfile. */
function placesOf({ build }: ComposeService): string[] {
  if (build === undefined) return [];
  const { context = ".", dockerfile = "Dockerfile" } = typeof build === "string" ? { context: build } : build;
  return [context, join(context, dockerfile, "..")];
}

function findDockerfile(folder: string, { build }: ComposeService, role: Role): string | undefined {
  const { context = ".", dockerfile = "Dockerfile" } =
    build === undefined ? { context: FOLDER[role] } : typeof build === "string" ? { context: build } : build;
  const path = resolve(folder, context, dockerfile);
  return existsSync(path) ? relative(folder, path) : undefined;
}

/** The labels that a Dockerfile gives to the image it makes: those of its last stage, or of the one that is built. */
export function labelsOf(submission: Submission, service: Service): Record<string, string> {
  if (service.dockerfile === undefined) return {};
  const { build } = service.definition;
  const target = typeof build === "object" ? build.target : undefined;
  const dockerfile = DockerfileParser.parse(readFileSync(join(submission.folder, service.dockerfile), "utf8"));
  const stages = dockerfile.getFROMs();
  const wanted = stages.findIndex((stage) => stage.getBuildStage() === target);
  const stage = target === undefined || wanted < 0 ? stages.length - 1 : wanted;
  const start = stages[stage]?.getRange().start.line ?? 0;
  const end = stages[stage + 1]?.getRange().start.line ?? Number.POSITIVE_INFINITY;
  const labels = dockerfile
    .getInstructions()
    .filter((instruction) => instruction.getKeyword() === "LABEL")
    .filter((instruction) => instruction.getRange().start.line > start && instruction.getRange().start.line < end)
    .flatMap((instruction) => (instruction as Label).getProperties());
  return Object.fromEntries(labels.map((label) => [unquote(label.getName()), unquote(label.getValue() ?? "")]));
}

/** The images that a Dockerfile builds upon. */
export function basesOf(submission: Submission, service: Service): string[] {
  if (service.dockerfile === undefined) return [];
  const stages = DockerfileParser.parse(readFileSync(join(submission.folder, service.dockerfile), "utf8")).getFROMs();
  const names = stages.map((stage) => stage.getBuildStage());
  return stages.map((stage) => stage.getImage() ?? "").filter((image) => !names.includes(image));
}

const unquote = (value: string) => value.replace(/^(["'])(.*)\1$/s, "$2");

/** The names in a folder of the submission; none where it is missing. */
export function entriesOf(submission: Submission, path: string): string[] {
  const folder = join(submission.folder, path);
  return existsSync(folder) ? readdirSync(folder) : [];
}
