// The marks of several folders, of which the rule `published` could be judged for some only.

import { expect, test } from "bun:test";
import { type Graded, isGraded } from "../graded.ts";
import { markOf } from "../mark.ts";
import { json } from "../report/json.ts";
import { feedbackHtml } from "../report/moodle/feedback.tsx";
import { painter, summary, table } from "../report/table.ts";
import type { Result } from "../rule.ts";
import { exitCodeOf } from "../run/outputs.ts";
import { untranslated } from "../text.ts";

/** A submission with 18 points from another rule. */
function report(name: string, published: Result["verdict"], rest: Result["verdict"] = "pass"): Graded {
  const result = (id: string, points: number, verdict: Result["verdict"]): Result => ({
    rule: { id, points, title: untranslated(id), source: id },
    verdict,
    seconds: 1,
    findings: [],
  });
  const results = [result("rest", 18, rest), result("published", 2, published)];
  return { ...who(name), report: { results, advice: [], mark: markOf(results) }, digest: name };
}

const who = (name: string) => ({ id: name, name, date: "2026-11-25T13:00:00.000Z", seconds: 2 });
const dan: Graded = { ...who("dan"), error: "no such folder" };

/** The cells of the summary's rows, and the lines below. */
const lines = (rows: Parameters<typeof summary>[0], language: "en" | "fr" = "en") =>
  summary(rows, language)
    .split("\n")
    .filter((line) => !/[─]/.test(line))
    .map((line) => line.replaceAll(/[│\s]+/g, " ").trim());

const failed = report("bob", "fail");
const skipped = report("carol", "skipped");

test("one mark each, if `published` was judged for all or for none", () => {
  expect(lines([report("alice", "pass"), failed])).toEqual(["submission mark", "alice 20/20", "bob 18/20 published"]);
  expect(lines([skipped, dan])).toEqual(["submission mark", "carol 20/20", "dan – could not be graded"]);
});

test("marks without it, if it was judged for some", () => {
  expect(lines([failed, skipped, dan])).toEqual([
    "submission mark",
    "bob 20/20",
    "carol 20/20",
    "dan – could not be graded",
    "The rule published could not be judged for every submission, so it counts for none.",
  ]);
  expect(lines([report("bob", "skipped", "fail"), skipped], "fr").slice(0, 3)).toEqual([
    "rendu note",
    "bob 0/20 (0 sur 18 points) rest",
    "carol 20/20",
  ]);
});

/** The last line of the table of one submission. */
const lastLine = (row: Graded, language: "en" | "fr") =>
  isGraded(row) ? table(row.name, row.report, language, painter(false)).split("\n").at(-1) : "";

test("a mark that stands for other than 20 points says for which, unless all are won", () => {
  expect(lastLine(report("bob", "skipped", "fail"), "en")).toBe("bob: 0/20 (0 of 18 points)");
  expect(lastLine(report("bob", "skipped", "fail"), "fr")).toBe("bob: 0/20 (0 sur 18 points)");
  for (const row of [failed, skipped]) expect(lastLine(row, "en")).toMatch(/^(bob: 18|carol: 20)\/20$/);
});

test("a rule that lost its points because it was blocked counts among the lost ones", () => {
  const rows = [report("alice", "blocked", "fail"), report("bob", "blocked")];
  expect(lines(rows).slice(1)).toEqual(["alice 0/20 rest (1 blocked)", "bob 18/20 (1 blocked)"]);
  expect(lines(rows, "fr")[2]).toBe("bob 18/20 (1 bloquée)");
});

test("nothing is called right that lost points because it was blocked", () => {
  const [right, lost] = [report("alice", "pass"), report("bob", "blocked")];
  expect([[right], [right, skipped], [right, lost], [failed], [lost, dan]].map(exitCodeOf)).toEqual([0, 0, 1, 1, 2]);
  const feedback = (row: Graded) => (isGraded(row) ? feedbackHtml(row.report, "en") : "");
  expect(feedback(skipped)).toContain("Every rule that was judged passes.");
  expect(feedback(lost)).not.toContain("passes.");
});

test("JSON has both marks", () => {
  expect(JSON.parse(json([failed, skipped], "en"))).toMatchObject([
    { mark: 18, markWithoutPublished: 20 },
    { mark: 20, markWithoutPublished: 20 },
  ]);
});
