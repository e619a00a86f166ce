import { parse } from "yaml";
import { brief, type Options, type Outcome, run } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import type { ComposeConfig } from "./compose-file.ts";
import { Ungradable } from "./errors.ts";

/**
 * Checks that a Docker engine answers, and chooses the Compose command.
 *
 * @throws {Ungradable} if one of them is missing
 */
export async function requireEngine(): Promise<void> {
  const { code, stderr } = await docker(["version", "--format", "{{.Server.Version}}"], { seconds: 20 });
  if (code !== 0) throw new Ungradable(`no Docker engine answers: ${brief(stderr)}`);
  const isPlugin = (await docker(["compose", "version"], { seconds: 20 })).code === 0;
  if (!isPlugin && Bun.which("docker-compose") === null)
    throw new Ungradable("Compose is missing: neither `docker compose` nor `docker-compose` works");
  compose.command = isPlugin ? ["docker", "compose"] : ["docker-compose"];
}

export const compose = {
  /** Set by `requireEngine`: Compose 2 if it is there, else Compose 1. */
  command: ["docker", "compose"] as readonly string[],

  /**
   * Reads a folder's Compose file, with variables, `env_file` and `extends` resolved.
   *
   * @throws {Ungradable} if Compose rejects it
   */
  async config(folder: string, file: string): Promise<ComposeConfig> {
    const { code, stdout, stderr } = await run([...this.command, "-f", file, "config"], { cwd: folder, seconds: 60 });
    if (code !== 0) throw new Ungradable(`${folder}/${file}: Compose rejects it: ${brief(stderr, 300)}`);
    const config = parse(stdout) as Partial<ComposeConfig> | null;
    return { ...config, services: config?.services ?? {} };
  },

  /** Runs a Compose command on a project of the grader. */
  run(project: string, file: string, folder: string, args: readonly string[], options: Options): Promise<Outcome> {
    const projectArgs = ["-p", project, "-f", file, "--project-directory", folder];
    return run([...this.command, ...projectArgs, ...args], { cwd: folder, ...options });
  },
};
