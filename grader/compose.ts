import { parse } from "yaml";
import { brief, type Environment, MAX_OUTPUT_BYTES, type Options, type Outcome, run } from "../host/command.ts";
import { docker, dockerOrThrow } from "../host/docker.ts";
import { Ungradable } from "./errors.ts";
import { InvalidCompose } from "./safety/compose-text.ts";

/**
 * Checks that a Docker engine answers, and chooses the Compose command.
 *
 * @throws {Ungradable} if one of them is missing
 */
export async function requireEngine(): Promise<void> {
  const { code, stderr } = await docker(["version", "--format", "{{.Server.Version}}"], { seconds: 20 });
  if (code !== 0) throw new Ungradable(`no Docker engine answers: ${brief(stderr)}`, true);
  const isPlugin = (await docker(["compose", "version"], { seconds: 20 })).code === 0;
  if (!isPlugin && Bun.which("docker-compose") === null)
    throw new Ungradable("Compose is missing: neither `docker compose` nor `docker-compose` works");
  compose.command = isPlugin ? ["docker", "compose"] : ["docker-compose"];
}

/** @throws {Ungradable} if the engine does not have a runtime */
export async function requireRuntime(name: string): Promise<void> {
  const runtimes = Object.keys(JSON.parse(await dockerOrThrow("info", "--format", "{{json .Runtimes}}")) ?? {});
  if (!runtimes.includes(name)) throw new Ungradable(`the engine has no runtime ${name}, only: ${runtimes.join(", ")}`);
}

/** Where Compose runs: a folder of the grader, and nothing of the teacher's environment. */
export interface ComposePlace {
  readonly folder: string;
  readonly environment: Environment;
}

export const compose = {
  /** Set by `requireEngine`: Compose 2 if it is there, else Compose 1. */
  command: ["docker", "compose"] as readonly string[],

  /**
   * Reads Compose files in a folder, each completing those before, with variables, `env_file` and `extends` resolved.
   *
   * @throws {InvalidCompose} if Compose rejects them
   */
  async config({ folder, environment }: ComposePlace, files: readonly string[]): Promise<Record<string, unknown>> {
    // A shell sets it, and files use it for paths: ${PWD}/api-backend.
    const env = { ...environment, PWD: folder };
    const options = { cwd: folder, env, onlyEnv: true, ownGroup: true, seconds: 60 };
    const fileArgs = files.flatMap((file) => ["-f", file]);
    const { code, stdout, stderr } = await run([...this.command, ...fileArgs, "config"], options);
    if (code !== 0) throw new InvalidCompose(`${files}: ${brief(stderr, 300)}`);
    if (stdout.length > MAX_OUTPUT_BYTES) throw new InvalidCompose(`${files}: too large`);
    return parse(stdout) ?? {};
  },

  /** Runs a Compose command on a project of the grader. */
  run(place: ComposePlace, project: string, file: string, args: readonly string[], options: Options): Promise<Outcome> {
    const projectArgs = ["-p", project, "-f", file, "--project-directory", place.folder];
    const confined = { cwd: place.folder, env: place.environment, onlyEnv: true, ownGroup: true };
    return run([...this.command, ...projectArgs, ...args], { ...confined, ...options });
  },
};
