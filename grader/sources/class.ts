import { statSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import { Ungradable } from "../errors.ts";
import { LIMITS } from "../safety/copy.ts";
import { printable } from "../text.ts";
import { withoutExtension } from "./archive.ts";
import { type HandedIn, openHandedIn, type Part } from "./handed-in.ts";
import { parseMoodleName } from "./moodle.ts";
import { entriesOf, looksLikeSubmission, parcelsOf } from "./root.ts";
import type { Source } from "./source.ts";
import { Ids } from "./student-id.ts";
import { unpack } from "./unpack.ts";

/** What a class has handed in. */
export interface ClassSources {
  /** By name. */
  readonly sources: Source[];
  /** The names of what is no submission. */
  readonly ignored: string[];
}

/** An export has the archives of all students, packed. Moodle limits each of them. */
const CLASS_LIMITS: typeof LIMITS = { ...LIMITS, bytes: 16 * LIMITS.bytes };

/** The same order on every machine: not its locale's, and accents beside their letters. */
const { compare } = new Intl.Collator("en", { numeric: true });

/**
 * The submissions of a class: each folder and each archive in a folder, or in an archive of one, as Moodle exports it.
 *
 * @param unpackedTo an existing folder, for what is unpacked of the class; to be kept until all are graded
 * @throws {Ungradable} if there is no such class, none in it, or it is one submission
 */
export async function sourcesOfClass(path: string, unpackedTo: string): Promise<ClassSources> {
  const name = printable(path);
  const folder = await classFolder(path, name, unpackedTo);
  if (looksLikeSubmission(folder)) throw new Ungradable(`${name}: looks like one submission, not a class`);
  const isParcel = new Set(parcelsOf(folder).map((entry) => entry.name));
  const handedIn = new Map<string, Part[]>();
  const ignored: string[] = [];
  for (const entry of entriesOf(folder)) {
    const moodle = parseMoodleName(entry.name);
    // In an export without folders all that a student handed in lies here.
    const counts = isParcel.has(entry.name) || (moodle !== undefined && entry.isFile());
    if (!counts) {
      ignored.push(printable(entry.name));
      continue;
    }
    const student = moodle === undefined ? entry.name : `${moodle.participant ?? ""}/${moodle.name}`;
    const parts = handedIn.get(student) ?? [];
    parts.push({ path: join(folder, entry.name), entry, moodle });
    handedIn.set(student, parts);
  }
  if (handedIn.size === 0) throw new Ungradable(`${name}: has no submission: no folder and no archive`);
  const students = [...handedIn.values()].map((parts) => ({ parts, name: nameOf(parts) }));
  students.sort((a, b) => compare(a.name, b.name) || (pathOf(a) < pathOf(b) ? -1 : 1));
  const ids = new Ids();
  return { sources: students.map((student) => sourceOf(student, ids)), ignored };
}

async function classFolder(path: string, name: string, unpackedTo: string): Promise<string> {
  const stats = attempt(() => statSync(path));
  if (stats === undefined) throw new Ungradable(`${name}: no such folder`);
  const folder = stats.isDirectory() ? path : join(unpackedTo, "class");
  if (!stats.isDirectory()) await unpack(path, folder, { limits: CLASS_LIMITS, name });
  const [only, ...others] = parcelsOf(folder);
  if (only === undefined || others.length > 0 || !only.isDirectory() || looksLikeSubmission(folder)) return folder;
  // Whoever packs a folder gets an archive with that folder in it, and another folder around it from who unpacks it.
  const inner = join(folder, only.name);
  const isWrapping = parseMoodleName(only.name) === undefined && !looksLikeSubmission(inner);
  return isWrapping && parcelsOf(inner).length > 1 ? inner : folder;
}

const pathOf = ({ parts }: HandedIn): string => parts[0]?.path ?? "";

function nameOf([part]: readonly Part[]): string {
  if (part === undefined) return "";
  const { moodle, entry } = part;
  return printable(moodle?.name ?? (entry.isDirectory() ? entry.name : withoutExtension(entry.name)));
}

function sourceOf(handed: HandedIn, ids: Ids): Source {
  const { parts, name } = handed;
  const participant = parts[0]?.moodle?.participant;
  const id = ids.next(name, participant === undefined ? "" : `_${participant}`);
  const student = { id, name, ...(participant === undefined ? {} : { participant }) };
  return { student, origin: printable(pathOf(handed)), open: (work, signal) => openHandedIn(handed, work, signal) };
}
