// `make` alone: what a newcomer types first.

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { runOrThrow } from "../host/command.ts";

const targets = [...readFileSync("Makefile", "utf8").matchAll(/^\.PHONY: (.+)$/gm)].flatMap(([, names = ""]) =>
  names.split(" "),
);
const lines = (await runOrThrow(["make"])).split("\n");

test("make describes every target once", () => {
  const listed = lines.flatMap(
    (line) => /^ {2}([a-z0-9-]+(?:, [a-z0-9-]+)*) +\w.+$/.exec(line)?.[1]?.split(", ") ?? [],
  );
  expect(listed.sort()).toEqual(targets.filter((name) => name !== "help").sort());
});

test("each task has an example of what is there", () => {
  const tasks = lines.filter((line) => /^\S/.test(line));
  expect(tasks.length).toBeGreaterThan(1);
  for (const task of tasks) {
    const [, make, script] = /\. Example: (?:make ([a-z-]+)|sh (scripts\/\w+))( \S+)?$/.exec(task) ?? [];
    expect([task, make === undefined ? existsSync(String(script)) : targets.includes(make)]).toEqual([task, true]);
  }
});

test("it fits into 80 columns", () => {
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});
