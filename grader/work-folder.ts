// The folders in which gradings keep their copy of the submission and what Compose reads.

import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SESSION } from "./session.ts";

const folders = new Set<string>();

/** Makes a folder that only this user can read; its path is real. */
export function createWorkFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `${SESSION}-`)));
  folders.add(folder);
  return folder;
}

export function removeWorkFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Removes those of interrupted gradings, but for some. */
export function removeWorkFolders(but: ReadonlySet<string> = new Set()): void {
  for (const folder of folders) if (!but.has(folder)) removeWorkFolder(folder);
}

/** Removes those of a process that was killed. */
export function removeWorkFoldersOf(session: string, parent: string): void {
  for (const name of readdirSync(parent))
    if (name.startsWith(`${session}-`)) rmSync(join(parent, name), { recursive: true, force: true });
}
