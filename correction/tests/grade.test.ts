// The whole bot, on the real engine: right submissions get 20/20, wrong ones fail on the rule that is meant.
import { expect, test } from "bun:test";
import type { Report } from "../rule.ts";
import { gradeFiles } from "./grading.ts";
import { type Files, RIGHT, WRONG } from "./submissions.ts";

/** As many at once: they wait more than they work. */
const AT_ONCE = 4;

const MINUTES = 15 * 60_000;

let free = AT_ONCE;
const queue: (() => void)[] = [];

/** Grades files when it is their turn. */
async function gradeInTurn(files: Files): Promise<Report> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => queue.push(resolve));
  try {
    return await gradeFiles(files);
  } finally {
    const next = queue.shift();
    if (next === undefined) free++;
    else next();
  }
}

const all = Object.entries({
  ...RIGHT,
  ...Object.fromEntries(Object.entries(WRONG).map(([name, [, files]]) => [name, files])),
});
const reports = Object.fromEntries(
  all.map(([name, files]) => [name, gradeInTurn(files).catch((error: Error) => error)]),
);

/** What of a report matters: the rules that failed, with what they saw, and the ones that were skipped unless for the Hub. */
async function verdict(name: string) {
  const report = await reports[name];
  if (report instanceof Error || report === undefined) throw report;
  const of = (wanted: string) => report.results.filter(({ verdict }) => verdict === wanted);
  return {
    mark: report.mark,
    failed: of("fail").map(({ rule, findings }) => [rule.id, findings.map(({ seen }) => seen.en)]),
    skipped: of("skipped")
      .filter(({ counts }) => counts)
      .map(({ rule }) => rule.id),
  };
}

test.each(Object.keys(RIGHT))(
  "right: %s",
  async (name) => {
    expect(await verdict(name)).toEqual({ mark: 20, failed: [], skipped: [] });
  },
  MINUTES,
);

test.each(Object.entries(WRONG))(
  "wrong: %s",
  async (name, [rule]) => {
    const { mark, failed } = await verdict(name);
    expect(failed).toEqual([[rule, expect.any(Array)]]);
    expect(mark).toBeLessThan(20);
  },
  MINUTES,
);
