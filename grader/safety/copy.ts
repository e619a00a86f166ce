import { constants, type Dirent } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, readlink, realpath, symlink } from "node:fs/promises";
import { join, sep } from "node:path";

/** More than any honest submission of the lab has, `node_modules` and `.git` included. */
export const LIMITS = { entries: 100_000, bytes: 1024 ** 3, depth: 64 };

/** Why an entry of the folder is not in the copy. */
export type LeftOut = "outside" | "special" | "unreadable";

/** What was copied. */
export interface Copied {
  /** The entries that are not in the copy, by path. A link to nothing is not listed: nobody can miss it. */
  readonly leftOut: ReadonlyMap<string, LeftOut>;
  /** The limit that the folder exceeds; then the copy is incomplete. */
  readonly exceeded: keyof typeof LIMITS | undefined;
}

/**
 * Copies a submission, so that nothing of the teacher's is read or written through it: regular files, folders, and links
 * that stay inside. Devices, pipes and sockets are not opened.
 *
 * @param from the submission's folder
 * @param to a folder that does not exist yet
 */
export async function copySubmission(from: string, to: string, limits = LIMITS): Promise<Copied> {
  const root = await realpath(from);
  const leftOut = new Map<string, LeftOut>();
  let [entries, bytes] = [0, 0];

  async function copyFolder(path: string, depth: number): Promise<Copied["exceeded"]> {
    if (depth > limits.depth) return "depth";
    const children = await readdir(join(root, path), { withFileTypes: true }).catch(() => undefined);
    await mkdir(join(to, path));
    if (children === undefined) leftOut.set(path, "unreadable");
    for (const child of children ?? []) {
      entries++;
      if (entries > limits.entries) return "entries";
      const exceeded = await copyEntry(join(path, child.name), child, depth);
      if (exceeded !== undefined) return exceeded;
    }
    return undefined;
  }

  async function copyEntry(path: string, entry: Dirent, depth: number): Promise<Copied["exceeded"]> {
    if (entry.isDirectory()) return copyFolder(path, depth + 1);
    if (entry.isSymbolicLink()) return void (await copyLink(path));
    if (!entry.isFile()) return void leftOut.set(path, "special");
    const size = await copyFile(path);
    if (size === undefined) leftOut.set(path, "unreadable");
    bytes += size ?? 0;
    return bytes > limits.bytes ? "bytes" : undefined;
  }

  async function copyLink(path: string) {
    const target = await realpath(join(root, path)).catch(() => undefined);
    if (target === undefined) return;
    const value = await readlink(join(root, path));
    // An absolute one leads to the original, not to the copy.
    if (value.startsWith(sep) || !isInside(root, target)) leftOut.set(path, "outside");
    else await symlink(value, join(to, path));
  }

  /** Returns the size in bytes; `undefined` if the file cannot be read. Stops at the limit. */
  async function copyFile(path: string): Promise<number | undefined> {
    // The entry may have been exchanged: a link is not followed, a pipe does not wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const source = await open(join(root, path), flags).catch(() => undefined);
    if (source === undefined) return undefined;
    try {
      const { size, mode } = await source.stat();
      // Sparse files are larger than they look on the disk.
      if (bytes + size > limits.bytes) return size;
      const target = await open(join(to, path), "wx");
      try {
        await target.writeFile(await source.readFile());
      } finally {
        await target.close();
      }
      await chmod(join(to, path), (mode & 0o777) | 0o400);
      return size;
    } finally {
      await source.close();
    }
  }

  const exceeded = await copyFolder("", 0);
  return { leftOut, exceeded };
}

/** Whether a real path is a folder or inside of it. */
export const isInside = (folder: string, path: string): boolean => path === folder || path.startsWith(folder + sep);

/**
 * The real path of something in the folder of a submission, which need not exist.
 *
 * @returns `undefined` if it is outside of the folder
 */
export async function insidePath(folder: string, path: string): Promise<string | undefined> {
  const root = await realpath(folder);
  const missing: string[] = [];
  for (let existing = path; ; ) {
    const real = await realpath(existing).catch(() => undefined);
    if (real !== undefined) return isInside(root, real) ? join(real, ...missing) : undefined;
    // A link to nothing could be given a target later.
    if ((await lstat(existing).catch(() => undefined)) !== undefined) return undefined;
    const parent = join(existing, "..");
    if (parent === existing) return undefined;
    missing.unshift(existing.slice(existing.lastIndexOf(sep) + 1));
    existing = parent;
  }
}
