import { brief, type Options, type Outcome, run } from "./command.ts";

/** A docker command that must succeed has failed. */
export class DockerError extends Error {
  override readonly name = "DockerError";
}

/** The fields used here of `docker inspect` for a container. */
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
    /** Of the last process that has ended. */
    readonly FinishedAt: string;
    readonly Health?: { readonly Status: string; readonly Log: readonly { readonly End: string }[] };
  };
  readonly Config: { readonly Env: readonly string[]; readonly User: string; readonly Healthcheck?: unknown };
  readonly HostConfig: {
    readonly NetworkMode: string;
    readonly Links: readonly string[] | null;
    readonly ExtraHosts: readonly string[] | null;
    readonly ReadonlyRootfs: boolean;
    readonly CapDrop: readonly string[] | null;
    readonly RestartPolicy: { readonly Name: string };
    readonly [other: string]: unknown;
  };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, Endpoint>>;
  };
}

/** A container on a network; without IPv6, that address is empty. */
export interface Endpoint {
  readonly IPAddress: string;
  readonly GlobalIPv6Address: string;
  readonly Aliases: readonly string[] | null;
  readonly Links: readonly string[] | null;
  /** Since version 25 of the engine. */
  readonly DNSNames?: readonly string[] | null;
}

/** The fields used here of `docker inspect` for an image. */
export interface Image {
  readonly Id: string;
  readonly Size: number;
  readonly Config: {
    readonly User: string;
    readonly Entrypoint: readonly string[] | null;
    readonly Cmd: readonly string[] | null;
    readonly ExposedPorts?: Readonly<Record<string, unknown>>;
    readonly Healthcheck?: { readonly Test: readonly string[]; readonly Interval: number };
    readonly Labels: Readonly<Record<string, string>> | null;
    readonly Env: readonly string[] | null;
  };
}

/** Runs a docker command. */
export const docker = (args: readonly string[], options: Options = {}): Promise<Outcome> =>
  run(["docker", ...args], { seconds: 120, ...options });

/**
 * Runs a docker command and returns its stdout, trimmed.
 *
 * @throws {DockerError} if it fails
 */
export async function dockerOrThrow(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(args);
  if (code !== 0) throw new DockerError(`docker ${args[0]}: ${brief(stderr || stdout, 400)}`);
  return stdout.trim();
}

/** @throws {DockerError} if the engine has no container or image of that name */
export async function inspect<T extends Container | Image>(name: string): Promise<T> {
  return JSON.parse(await dockerOrThrow("inspect", name))[0];
}

/**
 * The ids, or the names, of a Compose service's containers, running or not; `compose ps -q` of Compose 2 omits stopped
 * ones.
 *
 * @throws {DockerError} if the engine cannot be asked
 */
export async function containersOf(project: string, service: string, field: "ID" | "Names" = "ID"): Promise<string[]> {
  // Compose 2 also labels images with the first two, and every container inherits the labels of its image.
  const labels = [`project=${project}`, `service=${service}`, "oneoff=False"];
  const filters = labels.flatMap((label) => ["--filter", `label=com.docker.compose.${label}`]);
  const list = await dockerOrThrow("ps", "--all", "--format", `{{.${field}}}`, ...filters);
  return list.split("\n").filter(Boolean);
}

/** The options of `docker run` that show a container a folder. Docker reads them as a line of CSV: a path may have commas. */
export function bindMount(source: string, target: string, ...rights: readonly "readonly"[]): string[] {
  const fields = ["type=bind", `source=${source}`, `target=${target}`, ...rights];
  return ["--mount", fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",")];
}
