import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

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
