import { parse } from "yaml";
import { type Options, type Outcome, run } from "./command.ts";
import { DockerError, Ungradable } from "./errors.ts";
import type { ComposeConfig } from "./submission.ts";
import { brief } from "./text.ts";

/** What `docker inspect` tells of a container, as far as the rules ask. */
export interface Container {
  readonly Id: string;
  readonly Image: string;
  readonly Name: string;
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly StartedAt: string;
  };
  readonly Config: { readonly Env: readonly string[]; readonly User: string; readonly Healthcheck?: unknown };
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly Links: readonly string[] | null;
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly RestartPolicy: { readonly Name: string };
  };
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { readonly IPAddress: string; readonly Aliases: readonly string[] | null }>
    >;
  };
}

export interface Image {
  readonly Id: string;
  readonly Size: number;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> | null; readonly Env: readonly string[] | null };
}

/** Runs a docker command. */
export const docker = (args: readonly string[], options: Options = {}): Promise<Outcome> =>
  run(["docker", ...args], { seconds: 120, ...options });

/**
 * What a docker command printed.
 *
 * @throws {DockerError} where it failed
 */
export async function ask(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(args);
  if (code !== 0) throw new DockerError(`docker ${args[0]}: ${brief(stderr || stdout, 400)}`);
  return stdout.trim();
}

/** @throws {DockerError} where the engine knows nothing of that name */
export async function inspect<T extends Container | Image>(name: string): Promise<T> {
  return JSON.parse(await ask("inspect", name))[0];
}

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
