import { join } from "node:path";
import { clone } from "./git.ts";
import type { GitAddress } from "./git-address.ts";
import { rootOf } from "./root.ts";
import { unpack } from "./unpack.ts";

/** Unpacks an archive, and returns the folder in it that holds the submission. */
export async function unpacked(file: string, name: string, work: string, signal?: AbortSignal): Promise<string> {
  const to = join(work, "unpacked");
  await unpack(file, to, { signal, name });
  return rootOf(to, work, signal);
}

/** Clones a repository, and returns the folder in it that holds the submission. */
export async function cloned(address: GitAddress, name: string, work: string, signal?: AbortSignal): Promise<string> {
  const to = join(work, "cloned");
  await clone(address, to, { signal, name });
  return rootOf(to, work, signal);
}
