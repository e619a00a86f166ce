import { copyFileSync, type Dirent, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Ungradable } from "../errors.ts";
import { cloned, unpacked } from "./bring.ts";
import type { MoodleName } from "./moodle.ts";
import { addressIn } from "./online-text.ts";
import { entriesOf, looksLikeSubmission, parcelsOf, rootOf } from "./root.ts";

/** A folder or file of a student's. */
export interface Part {
  readonly path: string;
  readonly entry: Dirent;
  readonly moodle: MoodleName | undefined;
}

/** What a student of a class has handed in. */
export interface HandedIn {
  readonly parts: readonly Part[];
  /** The student's. */
  readonly name: string;
}

/**
 * Brings what a student has handed in into a folder.
 *
 * @param work an existing, empty folder for it
 * @returns the folder that holds the submission, in `work` or the class's
 * @throws {Ungradable} if it cannot be brought
 */
export async function openHandedIn({ parts, name }: HandedIn, work: string, signal?: AbortSignal): Promise<string> {
  const folder = await openFiles(parts, name, work, signal);
  // A report beside an address, or no file at all.
  if (folder !== undefined && (looksLikeSubmission(folder) || parcelsOf(folder).length > 0)) return folder;
  const address = addressIn(pagesOf(parts));
  if (address !== undefined) return cloned(address, name, work, signal);
  if (folder === undefined) throw new Ungradable(`${name}: handed in no file, and no text with one git address`);
  return folder;
}

/** Returns `undefined` if the student handed in no file. */
async function openFiles(
  parts: readonly Part[],
  name: string,
  work: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const files = parts.filter(({ moodle }) => moodle === undefined || moodle.type === "file");
  const [only, ...others] = files;
  if (only === undefined) return undefined;
  if (others.length === 0 && only.entry.isDirectory()) return rootOf(only.path, work, signal);
  if (only.moodle === undefined) return unpacked(only.path, name, work, signal);
  return rootOf(gathered(files, work), work, signal);
}

/** A folder with all files of a student's whose export has no folders, under their own names. */
function gathered(files: readonly Part[], work: string): string {
  const folder = join(work, "files");
  mkdirSync(folder);
  for (const { path, entry, moodle } of files) {
    const rest = moodle?.rest ?? "";
    if (entry.isFile() && rest !== "" && rest !== "." && rest !== "..") copyFileSync(path, join(folder, rest));
  }
  return folder;
}

/** What Moodle made of the text that the student typed. */
const pagesOf = (parts: readonly Part[]): string[] =>
  parts
    .filter(({ moodle }) => moodle?.type === "onlinetext")
    .flatMap(({ path, entry }) =>
      entry.isDirectory() ? entriesOf(path).flatMap((file) => (file.isFile() ? join(path, file.name) : [])) : path,
    );
