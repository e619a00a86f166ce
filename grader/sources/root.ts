import { type Dirent, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brief } from "../../host/command.ts";
import { attempt } from "../attempt.ts";
import { Ungradable } from "../errors.ts";
import { COMPOSE_FILES, FOLDER } from "../submission.ts";
import { printable } from "../text.ts";
import { isArchive } from "./archive.ts";
import { parseMoodleName } from "./moodle.ts";
import { unpack } from "./unpack.ts";

/** A folder in a folder, an archive in an archive: more wrappings than anybody makes by accident. */
const MAX_LEVELS = 4;

/**
 * Finds where in an unpacked or downloaded folder the submission is: where its Compose file or a folder of the subject
 * is, else in the folder or archive there that holds it, whatever lies beside it.
 *
 * @param unpackedTo a folder for archives in the folder
 * @returns the folder where it cannot be told; the rules then say what is missing
 * @throws {Ungradable} if the archive that holds it cannot be unpacked, or there are several archives
 */
export async function rootOf(folder: string, unpackedTo: string, signal?: AbortSignal): Promise<string> {
  let root = folder;
  for (let level = 1; level <= MAX_LEVELS && !looksLikeSubmission(root); level++) {
    const parcel = parcelWithSubmission(root);
    if (parcel === undefined) return root;
    const path = join(root, parcel.name);
    if (parcel.isDirectory()) {
      root = path;
    } else {
      root = join(unpackedTo, `inner-${level}`);
      await unpack(path, root, { signal });
    }
  }
  return root;
}

/** The folder or archive in a folder that holds the submission; `undefined` if that cannot be told. */
function parcelWithSubmission(folder: string): Dirent | undefined {
  const parcels = parcelsOf(folder);
  const [only, ...others] = parcels;
  if (others.length === 0) return only;
  const folders = parcels.filter((entry) => entry.isDirectory());
  const submissions = folders.filter(({ name }) => looksLikeSubmission(join(folder, name)));
  if (submissions.length > 0) return submissions.length === 1 ? submissions[0] : undefined;
  // Two services in folders of other names: what is beside them belongs to them.
  if (folders.some(({ name }) => existsSync(join(folder, name, "Dockerfile")))) return undefined;
  const archives = parcels.filter((entry) => entry.isFile());
  if (archives.length > 1)
    throw new Ungradable(
      `has several archives, keep the right one only: ${printable(archives.map(({ name }) => name).join(", "))}`,
    );
  return archives[0];
}

/** Whether a folder itself, and not one in it, is a submission, complete or not. */
export const looksLikeSubmission = (folder: string): boolean =>
  entriesOf(folder).some(
    (entry) => COMPOSE_FILES.includes(entry.name) || (entry.isDirectory() && FOLDERS.includes(entry.name)),
  );

const FOLDERS: readonly string[] = Object.values(FOLDER);

/** The folders and archives in a folder: what may hold a submission. Links are none, since they may lead out. */
export const parcelsOf = (folder: string): Dirent[] =>
  entriesOf(folder).filter(
    (entry) => !isJunk(entry.name) && (entry.isDirectory() || (entry.isFile() && isArchive(join(folder, entry.name)))),
  );

/** What systems and editors leave in folders and archives; nobody means it as a submission. */
export const isJunk = (name: string): boolean =>
  name.startsWith(".") || /^(__MACOSX|Thumbs\.db|desktop\.ini|node_modules)$/i.test(name);

/** Those that a folder has, in an order that does not depend on the file system. */
export const entriesOf = (folder: string): Dirent[] =>
  (attempt(() => readdirSync(folder, { withFileTypes: true })) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));

/**
 * Makes sure that there is something to grade in a folder, and one thing only: who has handed in an empty folder, a
 * report only, or several folders, may have made a mistake, which is the teacher's to judge.
 *
 * @param origin where the teacher has it: a path, or an address
 * @throws {Ungradable} if there is nothing, or several submissions
 */
export function requireOne(folder: string, origin: string): void {
  const names = entriesOf(folder).map(({ name }) => name);
  const parcels = parcelsOf(folder);
  if (parcels.length === 0 && !names.some((name) => /dockerfile|\.ya?ml$/i.test(name)))
    throw new Ungradable(`holds no submission: ${printable(names.join(", ")) || "it is empty"}`);
  if (looksLikeSubmission(folder)) return;
  const submissions = parcels.filter((entry) => isHandedIn(folder, entry)).map(({ name }) => name);
  if (submissions.length < 2) return;
  const found = brief(printable(submissions.join(", ")), MAX_NAMES);
  const command = `bin/grader --class ${existsSync(origin) ? `'${origin}'` : "<folder>"}`;
  throw new Ungradable(`holds submissions, not one: ${found}: keep one, or grade all of them:  ${command}`);
}

/** Of the names of submissions in an error. */
const MAX_NAMES = 100;

/** Whether a folder in a folder is one submission, perhaps in a folder of its own, or has its name from Moodle. */
function isHandedIn(folder: string, entry: Dirent): boolean {
  if (!entry.isDirectory()) return false;
  const path = join(folder, entry.name);
  if (parseMoodleName(entry.name) !== undefined || looksLikeSubmission(path)) return true;
  const [only, ...others] = parcelsOf(path);
  return only !== undefined && others.length === 0 && looksLikeSubmission(join(path, only.name));
}
