// The folder in which the results of a class are kept: each is there as soon as it is known, so that nothing is lost when
// the grading ends early, and the reports can be made from it at any time.

import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import { Ungradable } from "../errors.ts";
import { type Graded, isGraded, type Student, type WithReport } from "../graded.ts";
import { writeWhole } from "../write-file.ts";
import { FORMAT, readStored } from "./stored.ts";

const NOT_YET = "not graded yet";

export class Results {
  constructor(readonly folder: string) {}

  #path = (id: string, file: string) => join(this.folder, "submissions", id, file);

  #load = (id: string): Graded | undefined => readStored(this.#path(id, "grading.json"), id);

  /** The result of a submission that was graded; `undefined` if there is none. */
  read(id: string): WithReport | undefined {
    const one = this.#load(id);
    return one !== undefined && isGraded(one) ? one : undefined;
  }

  /** Makes sure that a submission is in the reports, whether it is graded or not. */
  expect(student: Student): void {
    if (this.#load(student.id) !== undefined) return;
    this.write({ ...student, date: new Date().toISOString(), seconds: 0, error: NOT_YET });
  }

  /** @param logs replace those of an earlier grading, which stay if there are none */
  write(graded: Graded, logs?: ReadonlyMap<string, string>): void {
    const folder = this.#path(graded.id, ".");
    mkdirSync(folder, { recursive: true });
    if (!isFolder(folder)) throw new Ungradable(`${folder}: is a link to another folder: remove it`);
    if (logs !== undefined)
      for (const name of readdirSync(folder)) if (name.endsWith(".log")) rmSync(join(folder, name));
    for (const [name, words] of logs ?? []) writeWhole(this.#path(graded.id, `${name}.log`), readable(words));
    writeWhole(this.#path(graded.id, "grading.json"), `${JSON.stringify({ format: FORMAT, ...graded }, null, 2)}\n`);
  }

  /**
   * All submissions, graded or not, by name.
   *
   * @throws {Ungradable} if the folder has no results
   */
  all(): Graded[] {
    const ids = attempt(() => readdirSync(join(this.folder, "submissions"))) ?? [];
    const all = ids
      .filter((id) => !id.startsWith(".") && isFolder(this.#path(id, "")))
      .map((id) => this.#load(id) ?? unreadable(id));
    if (all.length === 0) throw new Ungradable(`${this.folder}: no results in it: name the folder given as --out`);
    return all.sort((one, other) => one.name.localeCompare(other.name, "fr") || (one.id < other.id ? -1 : 1));
  }
}

/** Not a link, behind which something else would be written over. */
const isFolder = (path: string): boolean => attempt(() => lstatSync(path))?.isDirectory() === true;

const unreadable = (id: string): Graded => ({
  id,
  name: id,
  date: new Date(0).toISOString(),
  seconds: 0,
  error: "grading.json cannot be read: grade it again",
});

/** What a submission prints must not steer the terminal of who looks at the file. */
const readable = (words: string) => words.replace(/[^\P{Cc}\n\t]/gu, "�");
