// Podman in namespaces of its own: its processes, networks and mounts end with them, and its storage is a folder that is
// removed. Nothing of this machine's own Podman is used or changed.

import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Outcome, run } from "../host/command.ts";
import { processTree } from "../host/processes.ts";
import { waitUntil } from "./wait-until.ts";

const PROGRAMS = ["podman", "runc", "conmon", "unshare", "nsenter"];
/** With a network's name server, which finds containers by their aliases. */
const NETWORK_PROGRAMS = ["/usr/lib/podman/netavark", "/usr/lib/podman/aardvark-dns"];

/** Why Podman cannot run here; `undefined` if it can. */
export function whyNoPodman(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can make its namespaces";
  const missing = PROGRAMS.filter((name) => Bun.which(name) === null);
  const absent = NETWORK_PROGRAMS.filter((path) => !statSync(path, { throwIfNoEntry: false }));
  const all = [...missing, ...absent];
  return all.length > 0 ? `not installed: ${all.join(", ")} (make test-podman installs them on Debian)` : undefined;
}

export class Podman {
  readonly #folder = mkdtempSync(join(tmpdir(), "tpdocker-podman-"));
  #holder: Bun.Subprocess<"pipe", "pipe"> | undefined;
  #pid = 0;

  async start(): Promise<void> {
    for (const name of ["networks", "storage", "run", "tmp"]) mkdirSync(join(this.#folder, name));
    // Not every machine allows a process to raise its limits, as Podman does by default.
    const limits = 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]';
    const config = `[containers]\n${limits}\n[network]\nnetwork_backend = "netavark"\n`;
    writeFileSync(join(this.#folder, "containers.conf"), config);
    const script =
      "mount -t tmpfs none /run && mkdir -p /run/netns /run/lock && ip link set lo up && echo up && exec cat";
    const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
    this.#holder = Bun.spawn(["unshare", ...namespaces, "sh", "-c", script], { stdin: "pipe", stdout: "pipe" });
    const { done } = await this.#holder.stdout.getReader().read();
    if (done) throw new Error("the namespaces for Podman could not be made: see above");
    this.#pid = processTree(this.#holder.pid)[1] ?? 0;
  }

  /** Runs a command in Podman's namespaces. It is killed after so many seconds. */
  beside(command: readonly string[], seconds = 30): Promise<Outcome> {
    const inside = ["nsenter", `--target=${this.#pid}`, "--net", "--mount", "--pid", "--"];
    const env = {
      CONTAINERS_CONF: join(this.#folder, "containers.conf"),
      // There is no systemd in the namespaces. Podman 4.3 would try for ever to remove its timers when it stops a
      // container.
      DISABLE_HC_SYSTEMD: "true",
    };
    return run([...inside, ...command], { env, seconds });
  }

  readonly #options = [
    ...["--root", "storage", "--runroot", "run", "--tmpdir", "tmp", "--network-config-dir", "networks"].map((word) =>
      word.startsWith("--") ? word : join(this.#folder, word),
    ),
    ...["--runtime", "runc", "--cgroup-manager", "cgroupfs", "--events-backend", "file"],
  ];

  /**
   * Runs a podman command and returns its stdout, trimmed.
   *
   * @throws {Error} if it fails
   */
  async podman(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.beside(["podman", ...this.#options, ...args], 60);
    if (code !== 0) throw new Error(`podman ${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** A file of its folder, for manifests and archives. */
  file = (name: string): string => join(this.#folder, name);

  /** Ends all that runs in the namespaces, and removes what was made. */
  async remove(): Promise<void> {
    // With the first process of a namespace the kernel ends the others (pid_namespaces(7)).
    if (this.#pid) process.kill(this.#pid, "SIGKILL");
    await this.#holder?.exited;
    await waitUntil("the cgroups of its containers are empty", removeCgroups);
    rmSync(this.#folder, { recursive: true });
  }
}

/** The cgroups of containers are below one of this name in each hierarchy. Those with processes stay. */
function removeCgroups(): boolean {
  const roots = ["", ...readdirSync("/sys/fs/cgroup")].map((name) => join("/sys/fs/cgroup", name, "libpod_parent"));
  return roots.every(removeEmpty);
}

function removeEmpty(folder: string): boolean {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return true;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeEmpty(join(folder, entry.name));
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}
