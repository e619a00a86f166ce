// The whole bot, on the real engine: right submissions get 20/20, wrong ones fail on the rule that is meant.
// They run side by side (`--max-concurrency` in setup/test): they wait more than they work.
import { expect, test } from "bun:test";
import type { Report } from "../rule.ts";
import { gradeFiles, gradeFolder } from "./grading.ts";
import { RIGHT, WRONG } from "./submissions.ts";

const MINUTES = 15 * 60_000;

/** The rules that failed, with what they saw, and those that were skipped. */
function outcome({ mark, results }: Report) {
  const of = (wanted: string) => results.filter(({ verdict }) => verdict === wanted);
  const failed = of("fail").map(({ rule, findings }) => [rule.id, findings.map(({ seen }) => seen.en)]);
  return { mark, failed, skipped: of("skipped") };
}

/** 20/20, and nothing skipped but what needs Docker Hub. */
function expectAllRight(report: Report) {
  const { mark, failed, skipped } = outcome(report);
  expect(failed).toEqual([]);
  expect(skipped.map(({ rule }) => rule.id).filter((id) => id !== "published")).toEqual([]);
  expect(mark).toBe(20);
}

test.concurrent(
  "this repository",
  async () => {
    expectAllRight(await gradeFolder("."));
  },
  MINUTES,
);

test.concurrent.each(Object.entries(RIGHT))(
  "right: %s",
  async (_, files) => {
    expectAllRight(await gradeFiles(files));
  },
  MINUTES,
);

test.concurrent.each(Object.entries(WRONG))(
  "wrong: %s",
  async (_, [rule, files]) => {
    const { mark, failed } = outcome(await gradeFiles(files));
    expect(failed).toEqual([[rule, expect.any(Array)]]);
    expect(mark).toBeLessThan(20);
  },
  MINUTES,
);
