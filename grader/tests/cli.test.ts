// The bot as its users call it: exit codes, files, and what an interruption leaves.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../../host/command.ts";
import { RUNTIME } from "../../testing/base-images.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { RULES } from "../grade.ts";
import { removeProject } from "../removal.ts";
import { MINUTES } from "./grading.ts";
import { right, WRONG, write } from "./submissions.ts";

const work = mkdtempSync(join(tmpdir(), "grader cli "));
const bot = join(work, "grader");
const good = write(right);
// Its fault is found before anything is built.
const bad = write(WRONG["no backend in the Compose file"]?.[1] ?? {});

beforeAll(() => runOrThrow(["scripts/compile", bot, "grader/main.ts"]));
afterAll(() => {
  for (const folder of [work, good, bad]) rmSync(folder, { recursive: true });
});

test("the points of all rules are 20, and each rule names its sentence of the subject", () => {
  expect(RULES.reduce((sum, { points }) => sum + points, 0)).toBe(20);
  expect(RULES.filter(({ source }) => source.length < 10)).toEqual([]);
  expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
});

test.each([
  ["no folder", [], {}, "missing required argument"],
  ["a folder that is not there", ["/none"], {}, "error: /none: there is no such folder\n"],
  ["an unknown language", ["--lang", "de", "."], {}, "'de' is invalid"],
  ["no engine", ["."], { DOCKER_HOST: "unix:///none.sock" }, "error: no Docker engine answers: "],
] as const)("%s: one line, and exit code 2", async (_, args, env, line) => {
  const { code, stdout, stderr } = await run([bot, ...args], { env });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(line);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("a Compose file that is broken: one line, and exit code 2", async () => {
  const folder = write({ "docker-compose.yaml": "services: [\n" });
  const { code, stderr } = await run([bot, folder]);
  rmSync(folder, { recursive: true });
  expect(code).toBe(2);
  expect(stderr).toStartWith(`error: ${folder}/docker-compose.yaml: Compose does not understand it: `);
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

let started = 0;

/** Starts the bot with a folder of its own for what it keeps for a while. */
function start(args: readonly string[], variables: Record<string, string> = {}) {
  const temporary = join(work, String(++started));
  mkdirSync(temporary);
  const env = { ...process.env, TMPDIR: temporary, ...variables };
  const child = Bun.spawn([bot, ...args], { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  let said = "";
  const reading = (async () => {
    for await (const bytes of child.stderr) said += Buffer.from(bytes);
  })();
  return {
    child,
    /** All that it has said on stderr, once it has ended. */
    said: () => reading.then(() => said),
    says: (text: string) => waitUntil(`the bot says ${text}`, () => said.includes(text), 60_000),
    /** Files, containers, networks and images that are left of its gradings. */
    async leftovers(): Promise<string> {
      const filter = ["--quiet", "--filter", `name=grader${child.pid}x`];
      const lists = [
        ["docker", "ps", "--all", ...filter],
        ["docker", "network", "ls", ...filter],
        ["docker", "volume", "ls", ...filter],
        ["docker", "image", "ls", "--quiet", "--filter", `reference=grader${child.pid}x*/*`],
      ];
      return [...readdirSync(temporary), ...(await Promise.all(lists.map((list) => runOrThrow(list))))].join("");
    },
  };
}

test.concurrent(
  "a right folder alone: exit code 0",
  async () => {
    const { child, leftovers } = start([good, "--registry", "127.0.0.1:9"]);
    expect(await child.stdout.text()).toContain(`${good}: 20/20`);
    expect(await child.exited).toBe(0);
    expect(await leftovers()).toBe("");
  },
  5 * MINUTES,
);

test.concurrent(
  "several folders: a table each, a summary, JSON and JUnit's XML, exit code 1",
  async () => {
    const [json, junit] = [join(work, "marks.json"), join(work, "marks.xml")];
    const { child, leftovers } = start([bad, bad, "--json", json, "--junit", junit, "--lang", "fr"]);
    const stdout = await child.stdout.text();
    expect(await child.exited).toBe(1);
    expect(stdout).toContain("vu: aucun service du fichier Compose ne peut être le backend");
    expect(stdout.split("\n").filter((line) => /│ 1\/20 *│ up/.test(line))).toHaveLength(2);
    expect(stdout).not.toContain("\x1b");
    const rules = expect.arrayContaining([expect.objectContaining({ id: "up", verdict: "fail" })]);
    const report = { folder: bad, mark: 1, rules };
    expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject([report, report]);
    const xml = readFileSync(junit, "utf8");
    expect(xml.match(/<testcase /g)).toHaveLength(2 * RULES.length);
    expect(xml.match(/<failure/g)).toHaveLength(2);
    expect(await leftovers()).toBe("");
  },
  5 * MINUTES,
);

test.concurrent.each([["2/14"], ["10/14"]])(
  "an interruption at step %s leaves nothing",
  async (step) => {
    const { child, says, leftovers } = start([good]);
    await says(step);
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    expect(await leftovers()).toBe("");
  },
  5 * MINUTES,
);

test.concurrent("what the engine does late, for a command that was ended, is removed too", async () => {
  const project = `grader${process.pid}late`;
  const label = `com.docker.compose.project=${project}`;
  const removed = removeProject(project, false);
  await Bun.sleep(700);
  await runOrThrow(["docker", "create", "--label", label, RUNTIME, "/none"]);
  await removed;
  expect(await runOrThrow(["docker", "ps", "--all", "--quiet", "--filter", `label=${label}`])).toBe("");
});

test.concurrent(
  "a second interruption leaves all, and says how to remove it",
  async () => {
    const { child, says, said, leftovers } = start([good]);
    await says("8/14");
    child.kill("SIGINT");
    await says("cleaning up");
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
    const removal = /^left: the Compose project \w+; (.*)$/m.exec(await said())?.[1] ?? "false";
    await runOrThrow(["sh", "-c", removal]);
    expect(await leftovers()).toMatch(/^grader-\w+$/);
  },
  5 * MINUTES,
);
