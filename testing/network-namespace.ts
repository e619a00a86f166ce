// Network namespaces of a test's own (network_namespaces(7)): what happens in one reaches nothing else on this machine.
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** A network and a host name of its own, with nothing but a loopback. Needs root. */
export class NetworkNamespace {
  readonly #folder = mkdtempSync(join(tmpdir(), "namespace-"));
  /** It keeps the namespace, and ends with the test. */
  readonly #holder: Bun.Subprocess<"pipe", "pipe">;
  /** Settles when the namespace is there, and its loopback is up. */
  readonly ready: Promise<unknown>;

  /** @param name of the host, as programs in it see it */
  constructor(name = "test") {
    // It finds out by its name what it is.
    const busybox = join(this.#folder, "busybox");
    symlinkSync(resolve(".cache/grader-busybox"), busybox);
    const script = '"$0" ifconfig lo up && "$0" hostname "$1" && echo up && exec "$0" cat';
    this.#holder = Bun.spawn(["unshare", "--net", "--uts", busybox, "sh", "-c", script, busybox, name], {
      stdin: "pipe",
      stdout: "pipe",
    });
    this.ready = this.#holder.stdout.getReader().read();
  }

  /** The id of a process in it. */
  get pid(): number {
    return this.#holder.pid;
  }

  /** A command that runs in it. */
  command = (...command: readonly string[]): string[] => [
    ...["nsenter", `--net=/proc/${this.pid}/ns/net`, `--uts=/proc/${this.pid}/ns/uts`, "--"],
    ...command,
  ];

  /** Ends it; it goes when no process uses it any more. */
  async remove(): Promise<void> {
    this.#holder.kill();
    await this.#holder.exited;
    rmSync(this.#folder, { recursive: true });
  }
}
