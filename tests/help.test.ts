// `make` alone, what a newcomer types first, and `make help`.

import { expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../host/command.ts";

const targets = [...readFileSync("Makefile", "utf8").matchAll(/^\.PHONY: (.+)$/gm)].flatMap(([, names = ""]) =>
  names.split(" "),
);
const lines = (await runOrThrow(["make", "help"])).split("\n");

test("make describes every target once", () => {
  const listed = lines.flatMap(
    (line) => /^ {2}([a-z0-9-]+(?:, [a-z0-9-]+)*) +\w.+$/.exec(line)?.[1]?.split(", ") ?? [],
  );
  expect(listed.sort()).toEqual(targets.filter((name) => !["first", "help"].includes(name)).sort());
});

test("make alone fits a terminal with the first tasks, and leads to the others", async () => {
  const first = (await runOrThrow(["make"])).trimEnd().split("\n");
  expect(first.length).toBeLessThan(24 - 1);
  expect(first.at(-1)).toStartWith("make help lists all");
  expect(lines.slice(0, first.length - 1)).toEqual(first.slice(0, -1));
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

test.each([
  ["FRONTEND_PORTS=9000", "FRONTEND_PORTS: nothing reads it"],
  ["API_BACKEND_URL=http://x", "API_BACKEND_URL: nothing reads it"],
])("a variable that nobody reads, %s, is named", async (variable, message) => {
  const { code, stderr } = await run(["make", "help", variable]);
  expect([code, stderr]).toEqual([0, expect.stringContaining(message)]);
});

test.each([["FRONTEND_PORT=9000"], ["TP=../a b=c"], ["HTTPS_PROXY=http://proxy"], ["DOCKER_HOST=x"], ["JSON=1"]])(
  "make accepts %s in silence",
  async (variable) => expect((await run(["make", "help", variable])).stderr).toBe(""),
);

test("a target that is not there leads to the list", async () => {
  const { code, stderr } = await run(["make", "upp"]);
  expect(code).not.toBe(0);
  expect(stderr).toContain("error: there is no target upp: make help lists them\n");
});

test("make -f from another folder names the command, quoted for a shell", async () => {
  const folder = mkdtempSync(join(tmpdir(), "it's a lab "));
  try {
    cpSync("Makefile", join(folder, "Makefile"));
    const { code, stderr } = await run(["make", "-f", join(folder, "Makefile"), "up"], { cwd: "/" });
    expect(code).not.toBe(0);
    expect(stderr).toContain(`run make in its own folder: make -C "${folder}".`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("an empty TP is not taken for this folder", async () => {
  const { code, stderr } = await run(["make", "check", "TP="]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/^Makefile:\d+: \*\*\* TP is empty: name the folder to grade\. {2}Stop\.\n$/);
});
