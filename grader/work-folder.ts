// The folders in which gradings keep their copy of the submission and what Compose reads.

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders = new Set<string>();

/** Makes a folder that only this user can read; its path is real. */
export function createWorkFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "grader-")));
  folders.add(folder);
  return folder;
}

export function removeWorkFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Removes those of interrupted gradings. */
export function removeWorkFolders(): void {
  for (const folder of folders) removeWorkFolder(folder);
}
