// Temporary folders, of which none is left when a command ends.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../host/command.ts";

const folders = new Set<string>();

/** Makes a folder that is there until the command ends. */
export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tpdocker-publish-"));
  folders.add(folder);
  return folder;
}

/** Makes a folder, and removes it when `use` is done. */
export async function inTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await makeTemporaryFolder();
  try {
    return await use(folder);
  } finally {
    await remove(folder);
  }
}

export async function removeTemporaryFolders(): Promise<void> {
  for (const folder of folders) await remove(folder);
}

async function remove(folder: string): Promise<void> {
  folders.delete(folder);
  try {
    await rm(folder, { recursive: true, force: true });
  } catch {
    // Without root, Buildah's files belong to users of a namespace of its own.
    await run(["buildah", "unshare", "rm", "-rf", folder], { env: { TMPDIR: folder }, cleansUp: true });
  }
}
