// The folders in which gradings keep their copy of the submission and what Compose reads.

import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "./attempt.ts";
import { SESSION } from "./session.ts";

const folders = new Set<string>();

/** Makes a folder that only this user can read; its path is real. */
export function createWorkFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), `${SESSION}-`)));
  folders.add(folder);
  return folder;
}

/** Does not keep the rest of this process waiting. */
export async function removeWorkFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  folders.delete(folder);
}

/** Removes those of interrupted gradings at once, but for some. */
export function removeWorkFolders(but: ReadonlySet<string> = new Set()): void {
  for (const folder of folders) if (!but.has(folder)) rmSync(folder, { recursive: true, force: true });
}

/** Removes those of a process that was killed. */
export function removeWorkFoldersOf(session: string, parent: string): void {
  // It may have been removed, with all that was in it.
  for (const name of attempt(() => readdirSync(parent)) ?? [])
    if (name.startsWith(`${session}-`)) rmSync(join(parent, name), { recursive: true, force: true });
}
