// Who grades into a folder of results: one process at a time.

import { accessSync, constants, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { removeSession } from "../../host/removal.ts";
import { attempt } from "../attempt.ts";
import { Ungradable } from "../errors.ts";
import { SESSION, SESSION_FORM } from "../session.ts";
import { removeWorkFoldersOf } from "../work-folder.ts";
import { readJson } from "./stored.ts";

const OWNER = v.object({
  pid: v.pipe(v.number(), v.integer(), v.minValue(1)),
  session: v.pipe(v.string(), v.regex(SESSION_FORM)),
  /** Where its work folders are. */
  temporary: v.string(),
});

/** For another process that starts at the same moment to have written the file as well. */
const SETTLE_MS = 100;

const fileIn = (folder: string) => join(folder, ".running.json");

/**
 * Makes this process the only one that grades into a folder, and removes what one that was killed has left.
 *
 * @throws {Ungradable} if another one is at it, or nothing can be written there
 */
export async function acquire(folder: string): Promise<void> {
  makeWritable(folder);
  const file = fileIn(folder);
  const before = v.safeParse(OWNER, readJson(file));
  if (before.success) {
    const { pid, session, temporary } = before.output;
    if (pid !== process.pid && isAlive(pid)) throw taken(folder, `process ${pid}`);
    await removeSession(session);
    removeWorkFoldersOf(session, temporary);
  }
  release(folder);
  const self: v.InferOutput<typeof OWNER> = { pid: process.pid, session: SESSION, temporary: tmpdir() };
  writeFileSync(file, JSON.stringify(self));
  await Bun.sleep(SETTLE_MS);
  const now = v.safeParse(OWNER, readJson(file));
  if (!now.success || now.output.session !== SESSION) throw taken(folder, "another process");
}

/** Lets others grade into the folder. */
export const release = (folder: string): void => rmSync(fileIn(folder), { recursive: true, force: true });

function makeWritable(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new Ungradable(`${folder}: cannot be written (${(error as Error).message}): name another folder as --out`);
  }
}

const taken = (folder: string, who: string) =>
  new Ungradable(`${folder}: ${who} is grading into it (if that is not a grader, remove ${fileIn(folder)})`);

function isAlive(pid: number): boolean {
  // One that has ended, which nobody has asked about, keeps its number (proc_pid_stat(5)).
  const state = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\)/s, "").trim()[0]);
  if (state === "Z" || state === "X") return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It belongs to somebody else (kill(2)).
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
