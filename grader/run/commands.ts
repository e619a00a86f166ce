// The two commands: to grade, and to write the reports again.

import { basename, resolve } from "node:path";
import { brief } from "../../host/command.ts";
import { Ungradable } from "../errors.ts";
import { RULES } from "../grade.ts";
import { isGraded } from "../graded.ts";
import { readPoints, withPoints } from "../points.ts";
import { fillFile } from "../report/write.ts";
import { sourcesOfClass } from "../sources/class.ts";
import { type Source, sourcesOf } from "../sources/source.ts";
import { type Language, printable } from "../text.ts";
import { createWorkFolder, removeWorkFolder } from "../work-folder.ts";
import { gradeAll } from "./class.ts";
import { exitCodeOf, type Outputs, showLine, showTable, writeFiles, writeKept } from "./outputs.ts";
import { acquire, release } from "./owner.ts";
import { Results } from "./results.ts";
import { note, speak, words } from "./screen.ts";
import { nothingIsLeft, sayWhatIsLeft } from "./stacks.ts";

/** As shells have it of a program that Ctrl-C has ended. */
export const INTERRUPTED = 130;

export interface ReportFlags {
  readonly points?: string;
  readonly worksheet?: string;
  readonly lang: Language;
}

export interface GradeFlags extends ReportFlags, Outputs {
  readonly class?: string;
  readonly out?: string;
  readonly again?: readonly string[];
  readonly jobs: number;
  readonly keep?: boolean;
  readonly registry?: string;
  readonly runtime?: string;
}

/** Grades what the command line names. Returns the exit code. */
export async function runGrade(submissions: readonly string[], flags: GradeFlags): Promise<number> {
  if (submissions.length > 0 === (flags.class !== undefined))
    throw new Ungradable("name the submissions to grade, or with --class <folder> all that are in it");
  const { lang: language, jobs, keep = false, registry, runtime } = flags;
  speak(language);
  const settings = { language, jobs, keep, registry, runtime, points: pointsOf(flags) };
  // Not after an evening of grading.
  if (flags.worksheet !== undefined) fillFile(flags.worksheet, [], language);
  const unpacked = createWorkFolder();
  const sources = await sourcesNamed(submissions, flags, unpacked);
  const again = idsOf(flags.again ?? [], sources);
  const results = await openResults(flags);
  const onGraded = results === undefined ? showTable(language) : showLine(language);
  const rows = await gradeAll(sources, settings, { results, again, onGraded });
  await removeWorkFolder(unpacked);
  await writeFiles(rows, flags, language);
  if (results !== undefined) writeKept(results, results.all(), flags);
  sayWhatIsLeft();
  return exitCodeOf(rows);
}

/** Writes the reports of results again. Returns the exit code. */
export async function runReport(folder: string, flags: ReportFlags): Promise<number> {
  speak(flags.lang);
  const results = new Results(folder);
  const points = flags.points === undefined ? new Map() : pointsOf(flags);
  const rows = results.all().map((row) => (isGraded(row) ? { ...row, report: withPoints(row.report, points) } : row));
  await writeFiles(rows, {}, flags.lang);
  writeKept(results, rows, flags);
  return 0;
}

/** @param unpacked for a class in an archive */
async function sourcesNamed(submissions: readonly string[], flags: GradeFlags, unpacked: string): Promise<Source[]> {
  if (flags.class === undefined) return sourcesOf(submissions);
  const { sources, ignored } = await sourcesOfClass(flags.class, unpacked);
  if (ignored.length > 0) note(`${words().ignored} ${printable(ignored.join(", "))}`);
  return sources;
}

/** The points of all rules. */
function pointsOf({ points }: ReportFlags): ReadonlyMap<string, number> {
  const usual = RULES.map(({ id, points }) => [id, points] as const);
  return new Map([...usual, ...(points === undefined ? [] : readPoints(points, RULES))]);
}

/** The ids of the submissions that the teacher names: by student or a part of the name, by id or by number. */
function idsOf(names: readonly string[], sources: readonly Source[]): Set<string> {
  const students = sources.map(({ student }) => student);
  const found = names.map((wanted) => {
    const exact = students.filter(({ id, name, participant }) => [id, name, participant].includes(wanted));
    const alike = students.filter(({ name }) => plain(name).includes(plain(wanted)));
    const [match, ...others] = exact.length > 0 ? exact : alike;
    if (match !== undefined && others.length === 0) return match.id;
    const choice = (match === undefined ? students : [match, ...others]).map(({ id }) => id).join(", ");
    const fault = match === undefined ? "no such submission" : "several submissions";
    throw new Ungradable(`--again ${wanted}: ${fault}: name one of ${brief(choice, 1000)}`);
  });
  return new Set(found);
}

/** A name as it is typed in a hurry. */
const plain = (name: string) => name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** The folder of the results; of a class, also without --out, as too much is lost otherwise. */
async function openResults(flags: GradeFlags): Promise<Results | undefined> {
  const name = flags.class && `${basename(resolve(flags.class)).replace(/\.(zip|tar|tgz|tar\.gz)$/i, "")}-graded`;
  const folder = flags.out ?? name;
  if (folder === undefined) return undefined;
  const results = new Results(folder);
  await acquire(folder);
  note(words().results(folder));
  // What could not be removed is removed by the next process that grades into it.
  process.on("exit", (code) => {
    if (nothingIsLeft()) release(folder);
    if (code === INTERRUPTED) note(words().kept(folder));
  });
  return results;
}
