import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bindMount, docker } from "../../host/docker.ts";
import { helperImage } from "../helper-image.ts";

/**
 * Copies of what services mount. Each has its own: a container that writes a link into its mount cannot lead the mount of
 * another one out of the folder.
 */
export class Binds {
  readonly #copies = new Map<string, string>();
  constructor(readonly folder: string) {}

  async copy(path: string): Promise<string> {
    const known = this.#copies.get(path);
    if (known !== undefined) return known;
    const copy = join(this.folder, String(this.#copies.size));
    this.#copies.set(path, copy);
    // Docker makes a folder of a source that is not there.
    if (existsSync(path)) cpSync(path, copy, { recursive: true, verbatimSymlinks: true });
    else mkdirSync(copy, { recursive: true });
    openToAll(copy);
    return copy;
  }
}

/**
 * Lets every user write: a service that runs as the student writes into the student's folder, but the copy is the
 * teacher's. The folder of the grading keeps other users of the machine out.
 */
function openToAll(path: string): void {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return;
  chmodSync(path, (stats.mode & 0o777) | (stats.isDirectory() ? 0o777 : 0o666));
  if (stats.isDirectory()) for (const name of readdirSync(path)) openToAll(join(path, name));
}

/** Removes the copies. What containers wrote there as root, only a container can remove for a user who is not root. */
export async function removeBinds(folder: string): Promise<void> {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    const remove = [await helperImage({ cleansUp: true }), "/bin/busybox", "sh", "-c", "rm -rf /binds/*"];
    const rights = ["--user", "0", "--network", "none", ...bindMount(folder, "/binds")];
    await docker(["run", "--rm", ...rights, ...remove], { cleansUp: true });
  }
}
