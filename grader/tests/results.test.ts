// The folder of results, as somebody else may have left or changed it.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { writeReports } from "../report/write.ts";
import { acquire, release } from "../run/owner.ts";
import { Results } from "../run/results.ts";
import { copySubmission } from "../safety/copy.ts";
import { SESSION } from "../session.ts";
import { addressIn } from "../sources/online-text.ts";
import { unpack } from "../sources/unpack.ts";
import { zipOf } from "./archives.ts";
import { graded, ungraded } from "./made-class.ts";

let parent: string;
let folder: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "results-"));
  folder = join(parent, "results");
});
afterEach(() => rmSync(parent, { recursive: true }));

const storedIn = (id: string) => join(folder, "submissions", id, "grading.json");

test("what was written is read, with its mark made anew", () => {
  const results = new Results(folder);
  const [bob, erin] = [graded("bob", { fail: ["frontend"] }), ungraded("erin", "no space left on device")];
  results.write(bob, new Map([["build", "a\u001b[31m\nb"]]));
  results.write(erin);
  expect(results.all()).toEqual([bob, erin]);
  expect(results.read("bob")).toEqual(bob as ReturnType<Results["read"]>);
  expect(results.read("erin")).toBeUndefined();
  expect(readFileSync(join(folder, "submissions/bob/build.log"), "utf8")).toBe("a�[31m\nb");
  results.write(bob, new Map());
  expect(readdirSync(join(folder, "submissions/bob"))).toEqual(["grading.json"]);

  const stored = JSON.parse(readFileSync(storedIn("bob"), "utf8"));
  writeFileSync(storedIn("bob"), JSON.stringify({ ...stored, report: { ...stored.report, mark: 99 } }));
  expect(results.all()).toEqual([bob, erin]);
});

test.each([
  ["nothing", undefined],
  ["half of it", (text: string) => text.slice(0, 100)],
  ["null", () => "null"],
  ["a list", () => "[]"],
  ["another format", (text: string) => text.replace('"format": 1', '"format": 2')],
  ["the id of another folder", (text: string) => text.replace('"id": "bob"', '"id": "../../../victim"')],
  ["a number as the name", (text: string) => text.replace('"name": "bob"', '"name": 5')],
  ["a date that is none", (text: string) => text.replace(/"date": "[^"]*"/, '"date": "<b>"')],
  ["a verdict that there is not", (text: string) => text.replace('"verdict": "pass"', '"verdict": "x"')],
  ["negative points", (text: string) => text.replace('"points": 1', '"points": -1')],
  ["no results", (text: string) => text.replace('"results": [', '"result": [')],
  ["advice without a text", (text: string) => text.replace('"met": true', '"met": "yes"')],
])("%s in a result is told in the reports, which are written", (_, change) => {
  const results = new Results(folder);
  results.write(graded("bob"));
  results.write(graded("carol"));
  if (change === undefined) rmSync(storedIn("bob"));
  else writeFileSync(storedIn("bob"), change(readFileSync(storedIn("bob"), "utf8")));
  const rows = results.all();
  expect(rows).toMatchObject([{ id: "bob", error: "grading.json cannot be read: grade it again" }, { id: "carol" }]);
  writeReports(folder, rows, { language: "en" });
  expect(readdirSync(parent)).toEqual(["results"]);
});

test("links are not followed, and files between the results are no results", () => {
  const results = new Results(folder);
  results.write(graded("carol"));
  const victim = join(parent, "victim");
  mkdirSync(victim);
  writeFileSync(join(victim, "build.log"), "");
  symlinkSync(victim, join(folder, "submissions/bob"));
  writeFileSync(join(folder, "submissions/notes.txt"), "");
  mkdirSync(join(folder, "submissions/.git"));
  expect(results.all()).toMatchObject([{ id: "carol" }]);
  expect(() => results.write(graded("bob"), new Map())).toThrow("is a link to another folder");
  expect(readdirSync(victim)).toEqual(["build.log"]);
});

test("a folder without results is told", () => {
  expect(() => new Results(folder).all()).toThrow("no results in it");
});

describeWithEngine("a folder is taken", () => {
  const owner = () => JSON.parse(readFileSync(join(folder, ".running.json"), "utf8"));
  const dead = { pid: 2 ** 22 + 1, session: "grader999999xabcdef", temporary: "/none" };

  test.each([
    ["from nobody", undefined],
    ["from a process that was killed, whose temporary files are gone too", dead],
    ["from one with the number of this process", { ...dead, pid: process.pid }],
    ["from a file without sense", "x"],
    ["from null", null],
    ["from one without a place", { ...dead, temporary: undefined }],
    ["from number 0", { ...dead, pid: 0 }],
    ["from all processes", { ...dead, pid: -1 }],
    ["from a session that could be any", { ...dead, session: "" }],
  ])("%s", async (_, content) => {
    mkdirSync(folder);
    if (content !== undefined) writeFileSync(join(folder, ".running.json"), JSON.stringify(content));
    await acquire(folder);
    expect(owner()).toMatchObject({ pid: process.pid, session: SESSION });
    release(folder);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ["a folder", "mkdir"],
    ["a pipe", "mkfifo"],
  ])("where %s has the name of the file", async (_, make) => {
    mkdirSync(folder);
    await runOrThrow([make, join(folder, ".running.json")]);
    await acquire(folder);
    expect(owner()).toMatchObject({ pid: process.pid });
  });

  test.skipIf(process.platform !== "linux")("from a process that has ended, which nobody has asked about", async () => {
    // Before its child ends, the shell becomes a program that does not wait for it.
    const parent = Bun.spawn(["sh", "-c", "sleep 0.3 & echo $!; exec sleep 20"], { stdout: "pipe" });
    const { value } = await parent.stdout.getReader().read();
    mkdirSync(folder);
    const pid = Number(Buffer.from(value ?? []).toString());
    await waitUntil("it has ended", () => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "));
    writeFileSync(join(folder, ".running.json"), JSON.stringify({ ...dead, pid }));
    await acquire(folder);
    expect(owner()).toMatchObject({ pid: process.pid });
    parent.kill();
  });

  test("not from a process that lives, or at the same moment as another one", async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, ".running.json"), JSON.stringify({ ...dead, pid: process.ppid }));
    await expect(acquire(folder)).rejects.toThrow(`process ${process.ppid} is grading into it`);
    rmSync(join(folder, ".running.json"));
    const taking = acquire(folder);
    writeFileSync(join(folder, ".running.json"), JSON.stringify(dead));
    await expect(taking).rejects.toThrow("another process is grading into it");
  });

  test("not where nothing can be written", async () => {
    writeFileSync(folder, "");
    await expect(acquire(folder)).rejects.toThrow("name another folder as --out");
  });
});

describe("who waits for one submission", () => {
  /** The longest time in ms for which nothing else could run. */
  async function longestBlock(work: () => Promise<unknown>): Promise<number> {
    let [longest, last] = [0, performance.now()];
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    await work();
    clearInterval(timer);
    return Math.max(longest, performance.now() - last);
  }

  test("does not wait for long: thousands of files, and addresses without end", async () => {
    const archive = join(parent, "a.zip");
    writeFileSync(archive, zipOf(Array.from({ length: 10_000 }, (_, i) => ({ name: `d/${i}` }))));
    const page = join(parent, "page.html");
    writeFileSync(page, `https://a.bc/x${")".repeat(200_000)}y https://a.bc/${"/".repeat(50_000)}x`);
    expect(await longestBlock(() => unpack(archive, join(parent, "unpacked")))).toBeLessThan(500);
    expect(await longestBlock(() => copySubmission(join(parent, "unpacked"), join(parent, "copy")))).toBeLessThan(500);
    expect(await longestBlock(async () => addressIn([page]))).toBeLessThan(500);
  });
});
