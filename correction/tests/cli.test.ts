// The bot as its users call it: exit codes, files, and what an interruption leaves.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output, until } from "../../tests/support.ts";
import { run } from "../command.ts";
import { RULES } from "../grade.ts";
import { right, write } from "./submissions.ts";

const work = mkdtempSync(join(tmpdir(), "correction cli "));
const bot = join(work, "correction");
const good = write(right);
const bad = write({ ...right, LICENSE: "" });
rmSync(join(bad, "LICENSE"));

beforeAll(() => output(["bun", "run", "compile", `--outfile=${bot}`, "correction/main.ts"]));
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

test("several folders: a table each, a summary, JSON and JUnit's XML, exit code 1", async () => {
  const [json, junit] = [join(work, "marks.json"), join(work, "marks.xml")];
  const { code, stdout } = await run([bot, good, bad, "--json", json, "--junit", junit, "--lang", "fr"]);
  expect(code).toBe(1);
  expect(stdout).toContain(`${good}: 20/20`);
  expect(stdout).toContain("vu: il n'y a pas de LICENSE");
  expect(stdout).toMatch(new RegExp(`${bad} *│ 18.9/20 *│ tree`));
  expect(stdout).not.toContain("\x1b");
  const reports = JSON.parse(readFileSync(json, "utf8"));
  expect(reports).toMatchObject([
    { folder: good, mark: 20 },
    {
      folder: bad,
      mark: 18.9,
      rules: expect.arrayContaining([expect.objectContaining({ id: "tree", verdict: "fail" })]),
    },
  ]);
  const xml = readFileSync(junit, "utf8");
  expect(xml.match(/<testcase /g)).toHaveLength(2 * RULES.length);
  expect(xml.match(/<failure/g)).toHaveLength(1);
  expect(await leftovers()).toBe("");
}, 300_000);

test("an interruption leaves nothing", async () => {
  const child = Bun.spawn([bot, good], { stdout: "ignore", stderr: "ignore" });
  await until("its containers run", async () => (await leftovers(child.pid)) !== "", 60_000);
  child.kill("SIGINT");
  expect(await child.exited).toBe(130);
  expect(await leftovers(child.pid)).toBe("");
}, 120_000);

test("a right folder alone: exit code 0", async () => {
  expect((await run([bot, good])).code).toBe(0);
}, 120_000);

/** Containers, networks and images that the gradings of one process made, or that any made of a folder. */
async function leftovers(pid?: number): Promise<string> {
  const label = pid === undefined ? `working_dir=${good}` : `=correction${pid}x1`;
  const filter = ["--filter", `label=com.docker.compose.project${pid === undefined ? "." : ""}${label}`];
  const lists = [
    ["docker", "ps", "--all", "--quiet", ...filter],
    ["docker", "network", "ls", "--quiet", ...filter],
    ["docker", "image", "ls", "--quiet", `correction${pid}x1/*`],
  ];
  return (await Promise.all(lists.map((list) => output(list)))).join("");
}
