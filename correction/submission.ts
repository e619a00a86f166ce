import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { DockerfileParser, type Label } from "dockerfile-ast";
import { compose } from "./docker.ts";
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

/** A published port as a Compose file gives it. */
export interface Port {
  readonly outside: number | undefined;
  readonly inside: number;
}

/** A service, as `compose config` gives it; both generations spell much of it in several ways. */
export interface ComposeService {
  image?: string;
  build?: string | { context?: string; dockerfile?: string; target?: string; tags?: string[] };
  ports?: (string | number | { published?: string | number; target: number })[];
  expose?: (string | number)[];
  environment?: Record<string, string | null> | string[];
  depends_on?: string[] | Record<string, unknown>;
  links?: string[];
  container_name?: string;
  networks?: string[] | Record<string, { aliases?: string[] } | null>;
  network_mode?: string;
  pull_policy?: string;
}

export interface ComposeConfig {
  name?: string;
  services: Record<string, ComposeService>;
  networks?: Record<string, { name?: string; external?: unknown } | null>;
  volumes?: Record<string, { name?: string; external?: unknown } | null>;
}

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

export function portsOf({ ports = [] }: ComposeService): Port[] {
  return ports.map((port) => {
    if (typeof port === "object") {
      return { outside: port.published === undefined ? undefined : Number(port.published), inside: port.target };
    }
    const [inside, outside] = String(port)
      .replace(/\/\w+$/, "")
      .split(":")
      .reverse()
      .map(Number);
    return { outside, inside: inside ?? 0 };
  });
}

export function environmentOf({ environment = {} }: ComposeService): Record<string, string> {
  const entries = Array.isArray(environment)
    ? environment.map((entry) => [entry.split("=", 1)[0] ?? "", entry.split("=").slice(1).join("=")])
    : Object.entries(environment).map(([name, value]) => [name, value ?? ""]);
  return Object.fromEntries(entries);
}

/** The services that must have been started before a service. */
export function startedBefore(config: ComposeConfig, name: string, seen = new Set<string>()): Set<string> {
  const { depends_on = [], links = [] } = config.services[name] ?? {};
  const direct = [
    ...(Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)),
    ...links.map((link) => link.split(":", 1)[0] ?? ""),
  ];
  for (const other of direct) {
    if (seen.has(other)) continue;
    seen.add(other);
    startedBefore(config, other, seen);
  }
  return seen;
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
