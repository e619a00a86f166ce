// The folder in which the results of a class are kept: each is there as soon as it is known, so that nothing is lost when
// the grading ends early, and the reports can be made from it at any time.

import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import { Ungradable } from "../errors.ts";
import { type Graded, isGraded, type Student, type WithReport } from "../graded.ts";
import { removeSession } from "../removal.ts";
import { isSession, SESSION } from "../session.ts";
import { removeWorkFoldersOf } from "../work-folder.ts";
import { writeWhole } from "../write-file.ts";

/** Of the files; a result of another format is graded again. */
const FORMAT = 1;
const NOT_YET = "not graded yet";

/** Who grades into a folder. */
interface Owner {
  readonly pid: number;
  readonly session: string;
  /** Where its work folders are. */
  readonly temporary: string;
}

export class Results {
  constructor(readonly folder: string) {}

  #path = (id: string, file: string) => join(this.folder, "submissions", id, file);
  get #ownerFile() {
    return join(this.folder, ".running.json");
  }

  /**
   * Makes this process the only one that grades into the folder, and removes what one that was killed has left.
   *
   * @throws {Ungradable} if another one is at it
   */
  async acquire(): Promise<void> {
    try {
      mkdirSync(this.folder, { recursive: true });
      accessSync(this.folder, constants.W_OK);
    } catch (error) {
      throw new Ungradable(
        `${this.folder}: cannot be written (${(error as Error).message}): name another folder as --out`,
      );
    }
    const owner = attempt((): Owner => JSON.parse(readFileSync(this.#ownerFile, "utf8")));
    if (owner !== undefined && isSession(owner.session)) {
      if (owner.pid !== process.pid && isAlive(owner.pid))
        throw new Ungradable(
          `${this.folder}: process ${owner.pid} is grading into it (if that is not a grader, remove ${this.#ownerFile})`,
        );
      await removeSession(owner.session);
      removeWorkFoldersOf(owner.session, owner.temporary);
    }
    this.release();
    const self: Owner = { pid: process.pid, session: SESSION, temporary: tmpdir() };
    writeFileSync(this.#ownerFile, JSON.stringify(self), { flag: "wx" });
  }

  /** Lets others grade into the folder. */
  release(): void {
    rmSync(this.#ownerFile, { force: true });
  }

  /** The result of a submission that was graded; `undefined` if there is none. */
  read(id: string): WithReport | undefined {
    const one = this.#load(id);
    return one !== undefined && isGraded(one) ? one : undefined;
  }

  #load(id: string): Graded | undefined {
    const stored = attempt(() => JSON.parse(readFileSync(this.#path(id, "grading.json"), "utf8")));
    if (stored?.format !== FORMAT) return undefined;
    const { format: _, ...graded } = stored;
    return graded;
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
    const all = ids.filter((id) => !id.startsWith(".")).map((id) => this.#load(id) ?? unreadable(id));
    if (all.length === 0) throw new Ungradable(`${this.folder}: no results in it: name the folder given as --out`);
    return all.sort((one, other) => one.name.localeCompare(other.name, "fr") || (one.id < other.id ? -1 : 1));
  }
}

const unreadable = (id: string): Graded => ({
  id,
  name: id,
  date: new Date(0).toISOString(),
  seconds: 0,
  error: "grading.json cannot be read: grade it again",
});

/** What a submission prints must not steer the terminal of who looks at the file. */
const readable = (words: string) => words.replace(/[^\P{Cc}\n\t]/gu, "�");

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It belongs to somebody else (kill(2)).
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
