// A class graded with the command as teachers use it: several at a time, interrupted, killed, gone on with.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { run } from "../../host/command.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import type { Graded } from "../graded.ts";
import { GraderCommand } from "./command.ts";
import { MINUTE_MS } from "./grading.ts";
import { type Files, right, WRONG, write } from "./submissions.ts";

setDefaultTimeout(8 * MINUTE_MS);

const work = mkdtempSync(join(tmpdir(), "a class "));
const grader = new GraderCommand(work);
const wrong = (name: string): Files => WRONG[name]?.[1] ?? {};

/** Alice takes about 20 s, the others a moment. */
const ALICE = "Alice Martin_1234501_assignsubmission_file";
const BRUNO = "Bruno Lefèvre_1234502_assignsubmission_file";
const names = ["Alice Martin", "Bruno Lefèvre", "Chloé Petit", "David Roux"];

let count = 0;

/** A new class: a right submission, one that starts nothing, one in an archive, and a broken archive. */
async function newClass(): Promise<string> {
  const folder = join(work, `class ${++count}`);
  mkdirSync(folder);
  for (const [name, files] of [
    [ALICE, right],
    [BRUNO, wrong("no backend in the Compose file")],
  ] as const) {
    const written = write(files);
    cpSync(written, join(folder, name), { recursive: true });
    rmSync(written, { recursive: true });
  }
  const chloe = join(folder, "Chloé Petit_1234503_assignsubmission_file");
  mkdirSync(chloe);
  const written = write(wrong("a build that fails"));
  await create({ gzip: true, cwd: written, file: join(chloe, "tp.tar.gz") }, ["."]);
  rmSync(written, { recursive: true });
  mkdirSync(join(folder, "David Roux_1234504_assignsubmission_file"));
  writeFileSync(join(folder, "David Roux_1234504_assignsubmission_file", "tp.zip"), "PK\x03\x04 and no more");
  return folder;
}

const flagsFor = (folder: string) => ["--class", folder, "--out", `${folder}-graded`, "--registry", "127.0.0.1:9"];

function resultsOf(folder: string): Record<string, Graded> {
  const submissions = join(`${folder}-graded`, "submissions");
  const read = (id: string): Graded => JSON.parse(readFileSync(join(submissions, id, "grading.json"), "utf8"));
  return Object.fromEntries(
    readdirSync(submissions)
      .sort()
      .map((id) => [read(id).name, read(id)]),
  );
}

/** The mark or the lack of one, and the verdicts, by student. */
const verdictsOf = (folder: string) =>
  Object.entries(resultsOf(folder)).map(([name, one]) =>
    "error" in one
      ? [name, "not graded"]
      : [name, one.report.mark, ...one.report.results.map(({ rule, verdict }) => `${rule.id} ${verdict}`)],
  );

beforeAll(grader.compile);
afterAll(() => rmSync(work, { recursive: true }));

describeWithEngine("a class", () => {
  test.concurrent("has the same verdicts one at a time and several, and reports of all, graded or not", async () => {
    const [one, several] = [await newClass(), await newClass()];
    const first = grader.start([...flagsFor(one), "--jobs", "1"]);
    expect(await first.child.exited).toBe(2);
    const second = grader.start([...flagsFor(several), "--jobs", "4", "--lang", "fr"]);
    expect(await second.child.exited).toBe(2);
    expect(verdictsOf(several)).toEqual(verdictsOf(one));
    expect(verdictsOf(one).map(([name, mark]) => [name, mark])).toEqual([
      ["Alice Martin", 20],
      ["Bruno Lefèvre", 3.3],
      ["Chloé Petit", 3.3],
      ["David Roux", "not graded"],
    ]);
    const out = `${one}-graded`;
    expect(readdirSync(join(out, "submissions", "Alice-Martin_1234501")).sort()).toEqual([
      "backend.log",
      "build.log",
      "frontend.log",
      "grading.json",
      "index.fr.html",
      "index.html",
      "results.json",
      "up.log",
    ]);
    expect(readFileSync(join(out, "submissions", "Chloé-Petit_1234503", "build.log"), "utf8")).toContain("exit code");
    for (const file of ["index.html", "index.fr.html", "marks.csv", "junit.xml"])
      for (const name of names) expect(readFileSync(join(out, file), "utf8")).toContain(name);
    const again = await run([grader.path, "report", out, "--lang", "fr"], {
      env: { DOCKER_HOST: "unix:///none.sock" },
    });
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining(`écrit : ${join(out, "index.fr.html")}`)]);
    expect(readFileSync(join(out, "marks.csv"), "utf8")).toContain("Bruno Lefèvre;1234502;3,3;3,3;réussie");
    expect(await first.errors()).toContain("3/4 graded, 1 not graded, 0 running, 0 left");
    const shown = `${await second.stdout}\n${await second.errors()}`;
    expect(shown).toContain(`résultats : ${several}-graded (après`);
    expect(shown).toContain("3/4 corrigés, 1 non corrigé, 0 en cours, 0 restant");
    // The reason for which one could not be graded is in English.
    const ours = shown.replace(/^error: .*$/gm, "").replaceAll(`${several}-graded`, "");
    expect(ours).not.toMatch(/\b(results|written|graded|running|left|error)\b/);
    expect(existsSync(join(out, ".running.json"))).toBe(false);
    expect(await first.leftovers()).toBe("");
    expect(await second.leftovers()).toBe("");
  });

  test.concurrent.each(["SIGINT", "SIGKILL"] as const)("goes on after %s, and nothing is left", async (signal) => {
    const folder = await newClass();
    const args = [...flagsFor(folder), "--jobs", "2"];
    const first = grader.start(args);
    await waitUntil("Bruno is graded", () => "report" in (resultsOf(folder)["Bruno Lefèvre"] ?? {}), MINUTE_MS);
    await first.waitFor("5/15 Alice");
    await Bun.sleep(Math.random() * 8000);
    first.child.kill(signal);
    await first.child.exited;
    const before = resultsOf(folder);
    expect(Object.keys(before)).toEqual(names);
    if (signal === "SIGINT") expect(await first.leftovers()).toBe("");
    else expect(await first.leftovers()).not.toBe("");

    const second = grader.start(args);
    expect(await second.child.exited).toBe(2);
    const after = resultsOf(folder);
    expect(after["Bruno Lefèvre"]).toEqual(before["Bruno Lefèvre"] as Graded);
    expect(after["Alice Martin"]).toMatchObject({ report: { mark: 20 } });
    expect(await first.leftovers()).toBe("");
    expect(await second.leftovers()).toBe("");
  });

  test.concurrent("whose submissions have the same fixed subnet has the marks that they have alone", async () => {
    const folder = join(work, "same subnet");
    const subnet = `10.${100 + (process.pid % 50)}.${process.pid % 251}.0/24`;
    const files = {
      ...right,
      "docker-compose.yaml": `${right["docker-compose.yaml"]}networks: {default: {ipam: {config: [{subnet: ${subnet}}]}}}\n`,
    };
    mkdirSync(folder);
    for (const name of ["eve", "finn"]) {
      const written = write(files);
      cpSync(written, join(folder, name), { recursive: true });
      rmSync(written, { recursive: true });
    }
    const { child, leftovers } = grader.start([...flagsFor(folder), "--jobs", "2"]);
    expect(await child.exited).toBe(0);
    expect(Object.values(resultsOf(folder))).toMatchObject([{ report: { mark: 20 } }, { report: { mark: 20 } }]);
    expect(await leftovers()).toBe("");
  });

  test.concurrent("grades again what has changed, and who is named; not beside another grader", async () => {
    const folder = await newClass();
    rmSync(join(folder, ALICE), { recursive: true });
    const grade = async (...args: string[]) => {
      const { child, stdout, errors } = grader.start([...flagsFor(folder), ...args]);
      return { code: await child.exited, stdout: await stdout, stderr: await errors() };
    };
    await grade();
    const first = resultsOf(folder);
    expect((await grade()).stdout).toContain("Bruno Lefèvre: 3.3/20 (3 of 18 points), as graded before");
    expect(resultsOf(folder)).toMatchObject({ "Bruno Lefèvre": { date: first["Bruno Lefèvre"]?.date } });

    appendFileSync(join(folder, BRUNO, "README.md"), "more\n");
    await grade("--again", "chloe");
    const second = resultsOf(folder);
    for (const name of ["Bruno Lefèvre", "Chloé Petit"])
      expect(second[name]?.date).not.toBe(first[name]?.date as string);

    expect((await grade("--again", "Zoé")).stderr).toContain("--again Zoé: no such submission: name one of ");

    writeFileSync(
      join(`${folder}-graded`, ".running.json"),
      JSON.stringify({ pid: process.pid, session: "grader1x000000", temporary: "/none" }),
    );
    const beside = await grade();
    expect([beside.code, beside.stderr]).toEqual([
      2,
      expect.stringContaining(`process ${process.pid} is grading into it`),
    ]);
  });

  test.concurrent.skipIf(process.getuid?.() !== 0)("a full disk loses nothing that was graded", async () => {
    const folder = await newClass();
    rmSync(join(folder, ALICE), { recursive: true });
    const out = `${folder}-graded`;
    mkdirSync(out);
    const script =
      'mount -t tmpfs -o size=28k tmpfs "$1" && shift; ' +
      '"$@"; echo "first: $?"; mount -o remount,size=8m "$OUT"; "$@"; echo "second: $?"; cp -r "$OUT" "$OUT-copy"';
    const command = [
      "unshare",
      "--mount",
      "sh",
      "-c",
      script,
      "sh",
      out,
      grader.path,
      ...flagsFor(folder),
      "--jobs",
      "1",
    ];
    const { stdout, stderr } = await run(command, { env: { OUT: out } });
    expect(stdout).toContain("first: 2");
    expect(stderr).toMatch(/error: .*no space left on device/);
    expect(stdout).toContain("second: 2");
    expect(readFileSync(join(`${out}-copy`, "marks.csv"), "utf8")).toContain("Chloé Petit");
  });

  test.concurrent.skipIf(process.getuid?.() !== 0)("a full disk for temporary files costs nobody a point", async () => {
    const folder = await newClass();
    writeFileSync(join(folder, BRUNO, "large"), "x".repeat(200_000));
    const temporary = join(work, "small");
    mkdirSync(temporary);
    const script = 'mount -t tmpfs -o size=64k tmpfs "$TMPDIR" && exec "$@"';
    const command = ["unshare", "--mount", "sh", "-c", script, "sh", grader.path, join(folder, BRUNO)];
    const { code, stderr } = await run(command, { env: { TMPDIR: temporary } });
    expect([code, stderr]).toEqual([2, expect.stringContaining("no space left on device")]);
  });
});
