import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { docker } from "../../host/docker.ts";
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
    return copy;
  }
}

/** Removes the copies. What containers wrote there as root, only a container can remove for a user who is not root. */
export async function removeBinds(folder: string): Promise<void> {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    const remove = [await helperImage({ cleansUp: true }), "/bin/busybox", "sh", "-c", "rm -rf /binds/*"];
    const rights = ["--user", "0", "--network", "none", "--volume", `${folder}:/binds`];
    await docker(["run", "--rm", ...rights, ...remove], { cleansUp: true });
  }
}
