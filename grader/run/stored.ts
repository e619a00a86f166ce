// What is stored of a submission, and whether it is what this program has stored.

import { lstatSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { attempt } from "../attempt.ts";
import type { Graded } from "../graded.ts";
import { markOf } from "../mark.ts";

/** A result of another format is graded again. */
export const FORMAT = 1;

const TEXT = v.object({ en: v.string(), fr: v.string() });
const RESULT = v.object({
  rule: v.object({ id: v.string(), points: v.pipe(v.number(), v.minValue(0)), title: TEXT, source: v.string() }),
  verdict: v.picklist(["pass", "fail", "blocked", "skipped"]),
  seconds: v.number(),
  findings: v.array(v.object({ seen: TEXT, expected: TEXT, fix: TEXT })),
  reason: v.exactOptional(TEXT),
});
const REPORT = v.object({
  results: v.array(RESULT),
  advice: v.array(v.object({ id: v.string(), met: v.boolean(), text: TEXT })),
  mark: v.number(),
});
const FACTS = {
  format: v.literal(FORMAT),
  id: v.string(),
  name: v.string(),
  participant: v.exactOptional(v.string()),
  date: v.pipe(v.string(), v.isoTimestamp()),
  seconds: v.number(),
};
const STORED = v.union([
  v.object({ ...FACTS, report: REPORT, digest: v.string() }),
  v.object({ ...FACTS, error: v.string() }),
]);

/** Reads a result; `undefined` if the file is not there, or not one that this program has written for that id. */
export function readStored(path: string, id: string): Graded | undefined {
  const { success, output } = v.safeParse(STORED, readJson(path));
  if (!success || output.id !== id) return undefined;
  const { format: _, ...graded } = output;
  if (!("report" in graded)) return graded;
  return { ...graded, report: { ...graded.report, mark: markOf(graded.report.results) } };
}

/** The value in a JSON file; `undefined` if there is none. A pipe is not waited for, and a link not followed. */
export const readJson = (path: string): unknown =>
  attempt(() => (lstatSync(path).isFile() ? JSON.parse(readFileSync(path, "utf8")) : undefined));
