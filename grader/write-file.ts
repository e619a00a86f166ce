import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Writes a file whole: who reads it, or finds it after an interruption, sees the old text or the new one, never half of
 * it. Makes the folder. Synchronous, so that no handler of Ctrl-C runs in between and leaves the temporary file behind.
 *
 * @throws {Error} of the file system, with the path
 */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  // Renaming replaces a file at once only within one file system, so beside it.
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
