// A teacher's file of points.

import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { markOf, markWithoutPublished } from "../mark.ts";
import { PointsError, readPoints, withPoints } from "../points.ts";
import { RULES, report } from "./made-class.ts";

/** Reads a file with that text. */
function read(text: string) {
  const folder = mkdtempSync(join(tmpdir(), "points-"));
  try {
    writeFileSync(join(folder, "points.yaml"), text);
    return readPoints(join(folder, "points.yaml"), RULES);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("points by rule; comments, decimals and quotes are fine", () => {
  const points = read('# mine\npublished: 0\n"traceback": 4.5   # twice\nup: 1000\n');
  expect([...points]).toEqual([
    ["published", 0],
    ["traceback", 4.5],
    ["up", 1000],
  ]);
  expect([...read("{tree: 3}\n")]).toEqual([["tree", 3]]);
});

test.each([
  ["an unknown rule", "up: 1\ntracback: 4\n", ':2: there is no rule "tracback": use safe, tree, up, published, '],
  ["a number as a rule", "1: 4\n", ':1: there is no rule "1"'],
  ["a negative number", "\n\nup: -1\n", ":3: the points of up are -1: write a number from 0 to 1000"],
  ["a word", "up: many\n", ':1: the points of up are "many": write a number'],
  ["a number in quotes", 'up: "2"\n', ':1: the points of up are "2": write a number'],
  ["nothing", "up:\n", ":1: the points of up are not a number"],
  ["a list", "up: [1]\n", ":1: the points of up are not a number"],
  ["too much", "up: 1001\n", ":1: the points of up are 1001"],
  ["infinity", "up: .inf\n", ":1: the points of up are"],
  ["no number", "up: .nan\n", ":1: the points of up are"],
  ["a truth", "up: yes\n", ':1: the points of up are "yes"'],
  ["the same rule twice", "up: 1\ntree: 1\nup: 2\n", ":3: this rule is named twice: remove one of the lines"],
  ["a list of rules", "- up: 1\n", ":1: not a list of rules with their points: write one rule a line"],
  ["one word", "up\n", ":1: not a list of rules with their points"],
  ["invalid YAML", "up: 1\ntree: [1\n", ":3: not valid YAML: "],
  ["two documents", "up: 1\n---\ntree: 1\n", ":2: there is a second list: keep one"],
  ["a tab", "up: 1\n\ttree: 1\n", ":2: not valid YAML: "],
  ["an empty file", "", ":1: the file is empty: write one rule a line, for example: traceback: 4"],
  ["comments only", "# nothing\n", ":1: the file is empty"],
  ["no points at all", RULES.map(({ id }) => `${id}: 0`).join("\n"), ":1: no rule has points"],
])("%s is an error that says where and what to do", (_, text, message) => {
  expect(() => read(text)).toThrow(PointsError);
  expect(() => read(text)).toThrow(`points.yaml${message}`);
});

test("a missing file is an error", () => {
  expect(() => readPoints("/nowhere/points.yaml", RULES)).toThrow("/nowhere/points.yaml: cannot be read (ENOENT");
  expect(() => readPoints("/", RULES)).toThrow(PointsError);
});

test("the mark is computed again, out of 20, and nothing else changes", () => {
  const before = report({ fail: ["traceback"] });
  const after = withPoints(
    before,
    new Map([
      ["traceback", 6],
      ["published", 0],
    ]),
  );
  expect([before.mark, after.mark]).toEqual([15, 8]);
  expect(after.results.map(({ rule }) => rule.points)).toEqual([0, 1, 1, 0, 2, 6]);
  expect(before.results.map(({ rule }) => rule.points)).toEqual([0, 1, 1, 2, 2, 2]);
  expect(after.advice).toBe(before.advice);
  expect(withPoints(before, new Map())).toEqual(before);
});

test("a mark without points that count is 0, not NaN", () => {
  const only = withPoints(report({}), new Map(RULES.map(({ id }) => [id, id === "published" ? 2 : 0])));
  expect([only.mark, markWithoutPublished(only.results)]).toEqual([20, 0]);
  expect(markOf([])).toBe(0);
  expect(markOf(report({ skipped: RULES.map(({ id }) => id) }).results)).toBe(0);
});
