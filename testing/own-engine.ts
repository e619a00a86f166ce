// An engine of a test's own, in a network namespace of its own, that can be ended hard without disturbing another test.

import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import { NetworkNamespace } from "./network-namespace.ts";
import { waitUntil } from "./wait-until.ts";

/** Whether this user can start one. */
export const canStartEngine = process.getuid?.() === 0 && Bun.which("dockerd") !== null;

export class OwnEngine {
  readonly #folder = mkdtempSync(join(tmpdir(), "engine-"));
  readonly host = `unix://${this.#folder}/docker.sock`;
  readonly #pidFile = join(this.#folder, "docker.pid");
  /** It stays while no engine runs. */
  readonly namespace: NetworkNamespace;
  #engine: Bun.Subprocess | undefined;

  /** @param name of its host */
  constructor(name?: string) {
    this.namespace = new NetworkNamespace(name);
  }

  /** A command that runs beside the engine: its loopback is the one on which containers publish their ports. */
  beside = (...command: readonly string[]): string[] => this.namespace.command(...command);

  /** @param more options of dockerd */
  async start(...more: readonly string[]): Promise<void> {
    const folders = ["--data-root", join(this.#folder, "data"), "--exec-root", join(this.#folder, "exec")];
    const options = [...folders, "--pidfile", this.#pidFile, "--host", this.host, ...more];
    const log = openSync(join(this.#folder, "log"), "a");
    rmSync(this.#pidFile, { force: true });
    // Until then its namespace is still the machine's.
    await this.namespace.ready;
    this.#engine = Bun.spawn(this.beside("dockerd", ...options), { stdin: "ignore", stdout: log, stderr: log });
    await waitUntil("the engine answers", async () => (await this.docker("version")).code === 0);
  }

  docker = (...args: readonly string[]) => docker(["--host", this.host, ...args]);

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    this.#engine?.kill("SIGKILL");
    await this.#engine?.exited;
  }

  /** Ends it, and removes all that it had. */
  async remove(): Promise<void> {
    this.#engine?.kill("SIGTERM");
    await this.#engine?.exited;
    await this.namespace.remove();
    await this.#unmount();
    rmSync(this.#folder, { recursive: true });
  }

  /** An engine that was killed leaves what it had mounted for its containers. */
  async #unmount(): Promise<void> {
    const points = readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .filter((point) => point.startsWith(this.#folder));
    for (const point of points.reverse()) await runOrThrow(["umount", "--lazy", point]);
  }
}
