import { parse } from "yaml";
import { brief, type Options, type Outcome, run } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import type { ComposeConfig } from "./compose-file.ts";
import { Ungradable } from "./errors.ts";

/**
 * Finds out whether an engine answers, and which Compose is here.
 *
 * @throws {Ungradable} where one of them is missing
 */
export async function requireEngine(): Promise<void> {
  const { code, stderr } = await docker(["version", "--format", "{{.Server.Version}}"], { seconds: 20 });
  if (code !== 0) throw new Ungradable(`no Docker engine answers: ${brief(stderr)}`);
  const isPlugin = (await docker(["compose", "version"], { seconds: 20 })).code === 0;
  if (!isPlugin && Bun.which("docker-compose") === null)
    throw new Ungradable("there is no Compose: neither `docker compose` nor `docker-compose`");
  compose.command = isPlugin ? ["docker", "compose"] : ["docker-compose"];
}

export const compose = {
  /** Of whichever generation is here. */
  command: ["docker", "compose"] as readonly string[],

  /**
   * A folder's Compose file, with everything in it worked out.
   *
   * @throws {Ungradable} where Compose does not understand it
   */
  async config(folder: string, file: string): Promise<ComposeConfig> {
    const { code, stdout, stderr } = await run([...this.command, "-f", file, "config"], { cwd: folder, seconds: 60 });
    if (code !== 0) throw new Ungradable(`${folder}/${file}: Compose does not understand it: ${brief(stderr, 300)}`);
    const config = parse(stdout) as Partial<ComposeConfig> | null;
    return { ...config, services: config?.services ?? {} };
  },

  /** Runs a Compose command on a project of our own. */
  run(project: string, file: string, folder: string, args: readonly string[], options: Options): Promise<Outcome> {
    const place = ["-p", project, "-f", file, "--project-directory", folder];
    return run([...this.command, ...place, ...args], { cwd: folder, ...options });
  },
};
