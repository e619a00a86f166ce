import { createHash } from "node:crypto";
import {
  closeSync,
  constants,
  type Dirent,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { attempt } from "../attempt.ts";
import { pauses } from "../pauses.ts";

/** More than any honest submission of the lab has, `node_modules` and `.git` included. */
export const LIMITS = { entries: 100_000, bytes: 1024 ** 3, depth: 64 };

/** A folder that somebody works in has caches too. */
export const FOLDER_LIMITS = { ...LIMITS, bytes: 2 * 1024 ** 3 };

/** A file is not held in memory as a whole. */
const CHUNK_BYTES = 1024 * 1024;

/** Why an entry of the folder is not in the copy. */
export type LeftOut = "outside" | "special" | "unreadable";

/** What was copied. */
export interface Copied {
  /** The entries that are not in the copy, by path. A link to nothing is not listed: nobody can miss it. */
  readonly leftOut: ReadonlyMap<string, LeftOut>;
  /** The limit that the folder exceeds; then the copy is incomplete. */
  readonly exceeded: keyof typeof LIMITS | undefined;
  /** SHA-256 of all names, kinds and bytes, in hexadecimal; the same on every machine. */
  readonly digest: string;
}

/**
 * Copies a submission, so that nothing of the teacher's is read or written through it: regular files, folders, and links
 * that stay inside. Devices, pipes and sockets are not opened.
 *
 * @param from the submission's folder
 * @param to a folder that does not exist yet
 */
export async function copySubmission(from: string, to: string, limits = FOLDER_LIMITS): Promise<Copied> {
  const root = realpathSync(from);
  const leftOut = new Map<string, LeftOut>();
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const pause = pauses();
  let [entries, bytes] = [0, 0];

  async function copyFolder(path: string, depth: number): Promise<Copied["exceeded"]> {
    if (depth > limits.depth) return "depth";
    const children = attempt(() => readdirSync(join(root, path), { withFileTypes: true }));
    mkdirSync(join(to, path));
    children?.sort((one, other) => (one.name < other.name ? -1 : 1));
    if (children === undefined) leftOut.set(path, "unreadable");
    for (const child of children ?? []) {
      entries++;
      if (entries > limits.entries) return "entries";
      await pause();
      const exceeded = await copyEntry(join(path, child.name), child, depth);
      if (exceeded !== undefined) return exceeded;
    }
    return undefined;
  }

  /** No name has a NUL, so no two trees have the same sequence. */
  const note = (kind: string, path: string, what: string | number = "") => hash.update(`${kind}\0${path}\0${what}\0`);

  async function copyEntry(path: string, entry: Dirent, depth: number): Promise<Copied["exceeded"]> {
    if (entry.isDirectory()) note("folder", path);
    if (entry.isDirectory()) return copyFolder(path, depth + 1);
    if (entry.isSymbolicLink()) return copyLink(path);
    if (!entry.isFile()) leftOut.set(path, "special");
    else if (!(await copyFile(path))) leftOut.set(path, "unreadable");
    if (leftOut.has(path)) note("left out", path);
    return bytes > limits.bytes ? "bytes" : undefined;
  }

  function copyLink(path: string): undefined {
    const target = attempt(() => realpathSync(join(root, path)));
    note("link", path, readlinkSync(join(root, path)));
    if (target === undefined) return;
    // An absolute one leads to the original, not to the copy.
    const isAbsolute = readlinkSync(join(root, path)).startsWith(sep);
    if (isAbsolute || !isInside(root, target)) return void leftOut.set(path, "outside");
    // Not its own words: `../<name of the folder>/file` stays inside here, but not in the copy, which has another name.
    symlinkSync(relative(dirname(join(root, path)), target) || ".", join(to, path));
  }

  /** Returns whether the file can be read. One that exceeds the limit is not copied. */
  async function copyFile(path: string): Promise<boolean> {
    // The entry may have been exchanged: a link is not followed, a pipe does not wait for a writer.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const source = attempt(() => openSync(join(root, path), flags));
    if (source === undefined) return false;
    try {
      const { size, mode } = fstatSync(source);
      // Sparse files are larger than they look on the disk.
      bytes += size;
      note("file", path, `${mode & 0o777} ${size}`);
      if (bytes <= limits.bytes) await copyBytes(source, join(to, path), size, (mode & 0o777) | 0o400);
      return true;
    } finally {
      closeSync(source);
    }
  }

  async function copyBytes(source: number, path: string, size: number, mode: number): Promise<void> {
    const target = openSync(path, "wx");
    try {
      for (let left = size; left > 0; ) {
        const read = readSync(source, chunk, 0, Math.min(left, chunk.length), null);
        if (read === 0) break;
        writeFileSync(target, chunk.subarray(0, read));
        hash.update(chunk.subarray(0, read));
        left -= read;
        await pause();
      }
      fchmodSync(target, mode);
    } finally {
      closeSync(target);
    }
  }

  const exceeded = await copyFolder("", 0);
  if (exceeded !== undefined) note("exceeded", exceeded);
  return { leftOut, exceeded, digest: hash.digest("hex") };
}

/** Whether a real path is a folder or inside of it. */
export const isInside = (folder: string, path: string): boolean => path === folder || path.startsWith(folder + sep);

/**
 * The real path of something in the folder of a submission, which need not exist.
 *
 * @returns `undefined` if it is outside of the folder
 */
export function insidePath(folder: string, path: string): string | undefined {
  const root = realpathSync(folder);
  const missing: string[] = [];
  for (let existing = path; ; ) {
    const real = attempt(() => realpathSync(existing));
    if (real !== undefined) return isInside(root, real) ? join(real, ...missing) : undefined;
    // A link to nothing could be given a target later.
    if (attempt(() => lstatSync(existing)) !== undefined) return undefined;
    const parent = join(existing, "..");
    if (parent === existing) return undefined;
    missing.unshift(existing.slice(existing.lastIndexOf(sep) + 1));
    existing = parent;
  }
}
