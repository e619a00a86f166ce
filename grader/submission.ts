import { existsSync, readdirSync, readFileSync, type Stats, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseEnv } from "node:util";
import type { Environment } from "../host/command.ts";
import { attempt } from "./attempt.ts";
import { compose } from "./compose.ts";
import { buildOf, type ComposeConfig, type ComposeService, environmentOf, portsOf } from "./compose-file.ts";
import { Ungradable } from "./errors.ts";
import { allowed } from "./safety/allow.ts";
import { Binds } from "./safety/binds.ts";
import { boundsOfEngine } from "./safety/bounds.ts";
import { ComposeSource } from "./safety/compose-source.ts";
import { InvalidCompose } from "./safety/compose-text.ts";
import { type Copied, copySubmission, FOLDER_LIMITS } from "./safety/copy.ts";
import { composeEnvironment } from "./safety/environment.ts";
import { Mounts } from "./safety/mounts.ts";
import { WHY } from "./safety/refusal.ts";

/** The two services of the subject. */
export type Role = "backend" | "frontend";
export const ROLES: readonly Role[] = ["backend", "frontend"];

/** What the subject prescribes for each. */
export const FOLDER = { backend: "api-backend", frontend: "api-frontend" } as const;
export const PORT = { backend: 8001, frontend: 8000 } as const;
export const VARIABLES = ["API_BACKEND_URL", "API_BACKEND_PORT"] as const;

/** The file names that Compose accepts, starting with the subject's. */
export const COMPOSE_FILES = ["docker-compose.yaml", "docker-compose.yml", "compose.yaml", "compose.yml"];

/** Those by which Compose completes it, if one of them is there. */
const OVERRIDE_FILES = COMPOSE_FILES.map((name) => name.replace(".y", ".override.y"));

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
  /** A folder of the grader, for what belongs to this grading. */
  readonly work: string;
  /** The grader's copy of the submission, in that folder. */
  readonly folder: string;
  /** The whole environment in which Compose runs. */
  readonly environment: Environment;
  /** What is allowed of the Compose file; empty if it is refused or invalid. */
  readonly config: ComposeConfig;
  /** Why Compose, or YAML, rejects the file. */
  readonly invalid: string | undefined;
  /** Where the copy and the configuration come from; has what was refused, dropped and left out. */
  readonly source: ComposeSource;
  readonly services: Readonly<Partial<Record<Role, Service>>>;
}

/** The grader's copy of a submission. Nothing of it has been read yet. */
export interface Copy extends Pick<Submission, "name" | "work" | "folder">, Copied {}

/**
 * Copies a submission's folder into a folder of the grader.
 *
 * @param name the submission, in messages
 * @throws {Ungradable} if there is no such folder
 */
export async function copyInto(work: string, name: string, original: string): Promise<Copy> {
  if (!statsOf(resolve(original))?.isDirectory()) throw new Ungradable(`${name}: no such folder`);
  const folder = join(work, "submission");
  return { name, work, folder, ...(await copySubmission(resolve(original), folder)) };
}

/** Reads a submission, and checks what its Compose file asks for. */
export async function readSubmission({ name, work, folder, leftOut, exceeded }: Copy): Promise<Submission> {
  const variables = variablesOf(join(folder, ".env"));
  const source = new ComposeSource(folder, leftOut, variables);
  if (exceeded !== undefined) source.refuse(["limits", exceeded], FOLDER_LIMITS[exceeded], WHY.limit);
  const closed = await composeEnvironment(work);
  const { config, invalid, values } = await readConfig(source, work, closed);
  const environment = { ...closed, ...values };
  const services: Partial<Record<Role, Service>> = {};
  for (const role of ROLES) {
    const service = findService(config, role, services);
    const definition = config.services[service ?? ""];
    if (service === undefined || definition === undefined) continue;
    services[role] = { role, name: service, definition, dockerfile: findDockerfile(folder, definition, role) };
  }
  return { name, work, folder, environment, config, invalid, source, services };
}

/** The copies of what services mount, in the folder of a grading. */
export const bindsOf = (work: string): string => join(work, "binds");

async function readConfig(
  source: ComposeSource,
  work: string,
  environment: Environment,
): Promise<Pick<Submission, "config" | "invalid"> & { values: Environment }> {
  const nothing = { config: { services: {} }, invalid: undefined, values: {} };
  const files = composeFilesOf(source);
  if (files.length === 0 || source.refusals.length > 0) return nothing;
  try {
    // Compose looks for what any of them names in the folder of the first.
    for (const file of files) await source.read(file, dirname(files[0] ?? ""));
    if (source.refusals.length > 0) return nothing;
    const config = await compose.config({ folder: source.folder, environment }, files);
    const binds = new Binds(bindsOf(work));
    const mounts = new Mounts(source, (path) => binds.copy(path));
    const clean = (await allowed(source, config, await boundsOfEngine(), mounts)) as unknown;
    if (source.refusals.length > 0) return nothing;
    return { config: clean as ComposeConfig, invalid: undefined, values: mounts.values };
  } catch (error) {
    if (!(error instanceof InvalidCompose)) throw error;
    return { ...nothing, invalid: error.message };
  }
}

/** What a `.env` sets; `undefined` if there is none. */
function variablesOf(path: string): ReturnType<typeof parseEnv> | undefined {
  return statsOf(path)?.isFile() ? parseEnv(readFileSync(path, "utf8").replace(/^\ufeff/, "")) : undefined;
}

/** The files that Compose reads: those that `.env` names, if all are there, else those of the usual names. */
function composeFilesOf(source: ComposeSource): string[] {
  const { folder, variables } = source;
  const { COMPOSE_FILE = "", COMPOSE_PATH_SEPARATOR = ":" } = variables;
  const named = COMPOSE_FILE.split(COMPOSE_PATH_SEPARATOR).map((name) => relative(folder, join(folder, name)));
  const isFileOf = (path: string) => source.locate(path) !== undefined && statsOf(path)?.isFile() === true;
  if (COMPOSE_FILE !== "" && named.every((name) => isFileOf(join(folder, name)))) return named;
  const files = [COMPOSE_FILES, OVERRIDE_FILES].flatMap(
    (names) => names.find((name) => existsSync(join(folder, name))) ?? [],
  );
  return COMPOSE_FILES.includes(files[0] ?? "") ? files : [];
}

/** Finds a service by its port, else by its folder, else by its variables; never by its name. */
function findService(config: ComposeConfig, role: Role, found: Partial<Record<Role, Service>>): string | undefined {
  const taken = Object.values(found).map(({ name }) => name);
  const candidates = Object.keys(config.services).filter((name) => !taken.includes(name));
  const otherRole = role === "backend" ? "frontend" : "backend";
  const isBuiltFor = (service: ComposeService, wanted: Role) =>
    buildFoldersOf(service).some((folder) => basename(folder) === FOLDER[wanted]);
  const criteria: ((service: ComposeService) => boolean)[] = [
    (service) => portsOf(service).some(({ hostPort }) => hostPort === PORT[role]),
    (service) => portsOf(service).some(({ containerPort }) => containerPort === PORT[role]),
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
  return statsOf(path)?.isFile() ? relative(folder, path) : undefined;
}

/** What is at a path; `undefined` if nothing is, also because a part of the path is a file or too long. */
const statsOf = (path: string): Stats | undefined => attempt(() => statSync(path));

export const isFile = ({ folder }: Submission, path: string): boolean => statsOf(join(folder, path))?.isFile() === true;

/** What reads them takes quadratic time. */
const MAX_TEXT_BYTES = 64 * 1024;

/** The text of a file of the submission; `undefined` if there is no such file, or it is too large to be read. */
export function textOf({ folder }: Submission, path: string): string | undefined {
  const stats = statsOf(join(folder, path));
  return stats?.isFile() && stats.size <= MAX_TEXT_BYTES ? readFileSync(join(folder, path), "utf8") : undefined;
}

/** The names in a folder of the submission; none if there is no such folder. */
export function entriesOf(submission: Submission, path: string): string[] {
  const folder = join(submission.folder, path);
  // It may be a file.
  return statsOf(folder)?.isDirectory() ? readdirSync(folder) : [];
}
