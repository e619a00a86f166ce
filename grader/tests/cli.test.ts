// The command as its users run it: exit codes, output files, and what an interruption leaves behind.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../../host/command.ts";
import { removeProject } from "../../host/removal.ts";
import { RUNTIME } from "../../testing/base-images.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { RULES } from "../grade.ts";
import { GraderCommand } from "./command.ts";
import { MINUTE_MS } from "./grading.ts";
import { right, WRONG, write } from "./submissions.ts";

setDefaultTimeout(5 * MINUTE_MS);

// The space checks that paths are quoted.
const work = mkdtempSync(join(tmpdir(), "grader cli "));
const command = new GraderCommand(work);
const grader = command.path;
const start = (args: readonly string[]) => command.start(args);
const rightFolder = write(right);
// It fails before anything is built.
const wrongFolder = write(WRONG["no backend in the Compose file"]?.[1] ?? {});
const brokenFolder = write({ "docker-compose.yaml": "services: [\n" });

beforeAll(command.compile);
afterAll(() => {
  for (const folder of [work, rightFolder, wrongFolder, brokenFolder]) rmSync(folder, { recursive: true });
});

test("the points of all rules add up to 20, and each rule quotes its sentence of the subject", () => {
  expect(RULES.reduce((sum, { points }) => sum + points, 0)).toBe(20);
  expect(RULES.filter(({ source }) => source.length < 10)).toEqual([]);
  expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
});

/** Expects one line on stderr, nothing on stdout, and exit code 2. */
async function expectMistake(args: readonly string[], message: string, env = {}) {
  const { code, stdout, stderr } = await run([grader, ...args], { env });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toStartWith("error: ");
  expect(stderr).toContain(message);
  expect(stderr.trim().split("\n")).toHaveLength(1);
}

test.each([
  ["no submission", [], {}, "name the submissions to grade"],
  ["an unknown language", ["--lang", "de", "."], {}, "'de' is invalid"],
  ["no engine", ["."], { DOCKER_HOST: "unix:///none.sock" }, "error: .: no Docker engine answers: "],
] as const)("%s is reported on one line, with exit code 2", (_, args, env, message) =>
  expectMistake(args, message, env),
);

describeWithEngine("with an engine", () => {
  test("a missing folder is reported on one line, with exit code 2", () =>
    expectMistake(["/none"], "error: /none: no such folder\n"));

  test("a runtime that the engine does not have is reported on one line, with exit code 2", () =>
    expectMistake([rightFolder, "--runtime", "none"], "the engine has no runtime none, only: "));

  test("a broken Compose file is the submission's fault: exit code 1", async () => {
    const { code, stdout } = await run([grader, brokenFolder]);
    expect(stdout).toContain("Compose rejects the file: docker-compose.yaml: ");
    expect(code).toBe(1);
  });

  test.concurrent("a right folder: exit code 0", async () => {
    const { child, stdout, leftovers } = start([rightFolder, "--registry", "127.0.0.1:9"]);
    expect(await stdout).toContain(`${rightFolder}: 20/20`);
    expect(await child.exited).toBe(0);
    expect(await leftovers()).toBe("");
  });

  test.concurrent("several folders: a table each, a summary, JSON and JUnit XML, exit code 1", async () => {
    const [json, junit] = [join(work, "report.json"), join(work, "report.xml")];
    const flags = ["--json", json, "--junit", junit, "--registry", "127.0.0.1:9", "--lang", "fr"];
    const { child, leftovers, ...output } = start([wrongFolder, wrongFolder, ...flags]);
    const stdout = await output.stdout;
    expect(await child.exited).toBe(1);
    expect(stdout).toContain("constaté : aucun service du fichier Compose ne correspond au backend");
    expect(
      stdout.split("\n").filter((line) => /│ 3,3\/20 \(3 sur 18 points\) *│ up \(10 bloquées\)/.test(line)),
    ).toHaveLength(2);
    expect(stdout.split("\n").filter((line) => /│ order .*│ 0\/2 *│ bloquée/.test(line))).toHaveLength(2);
    expect(stdout).not.toContain("\x1b");
    const rules = expect.arrayContaining([
      expect.objectContaining({ id: "up", verdict: "fail" }),
      expect.objectContaining({ id: "label", verdict: "pass", reason: expect.stringContaining("Dockerfiles seuls") }),
      expect.objectContaining({ id: "order", verdict: "blocked" }),
    ]);
    const report = { folder: wrongFolder, mark: 3.3, markWithoutPublished: 3.3, rules };
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject([report, report]);
    const xml = readFileSync(junit, "utf8");
    expect(xml.match(/<testcase /g)).toHaveLength(2 * RULES.length);
    expect(xml.match(/<failure/g)).toHaveLength(2);
    expect(xml.match(/<skipped/g)).toHaveLength(2 * (RULES.length - 4));
    expect(await leftovers()).toBe("");
  });

  test.concurrent.each([["3/15"], ["11/15"], ["13/15"]])(
    "an interruption at step %s leaves nothing behind",
    async (step) => {
      const { child, waitFor, leftovers } = start([rightFolder]);
      await waitFor(step);
      child.kill("SIGINT");
      expect(await child.exited).toBe(130);
      expect(await leftovers()).toBe("");
    },
  );

  test.concurrent("--keep leaves the stack and its files, and says how to remove them", async () => {
    const { child, stdout, errors, leftovers } = start([rightFolder, "--keep", "--registry", "127.0.0.1:9"]);
    expect(await stdout).toContain(`${rightFolder}: 20/20`);
    expect(await child.exited).toBe(0);
    const command = /^not removed: .*; to remove it: (.*)$/m.exec(await errors())?.[1] ?? "false";
    await runOrThrow(["sh", "-c", command]);
    expect(await leftovers()).toBe("");
  });

  test.concurrent("removes what the engine creates late, for a command that was killed", async () => {
    const project = `grader${process.pid}late`;
    const label = `com.docker.compose.project=${project}`;
    const removed = removeProject(project, { interrupted: true });
    await Bun.sleep(700);
    await runOrThrow(["docker", "create", "--label", label, RUNTIME, "/none"]);
    await removed;
    expect(await runOrThrow(["docker", "ps", "--all", "--quiet", "--filter", `label=${label}`])).toBe("");
  });

  test.concurrent("a second interruption leaves everything, and says how to remove it", async () => {
    const { child, waitFor, errors, leftovers } = start([rightFolder]);
    await waitFor("9/15");
    child.kill("SIGINT");
    await waitFor("interrupted: removing");
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    const command = /^not removed: .*; to remove it: (.*)$/m.exec(await errors())?.[1] ?? "false";
    // It fails while the engine is still removing a container for the first interruption.
    await waitUntil("the command succeeds", async () => (await run(["sh", "-c", command])).code === 0);
    expect(await leftovers()).toBe("");
  });
});
