// The recording of the launch, played to a terminal, shows what README.md says; its picture is of this recording.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseCast } from "../recording/cast.ts";
import { CAST, MAX_BYTES, pictureOf, SVG } from "../recording/outputs.ts";
import { play, textOf } from "../recording/screen.ts";
import { MAX_PAUSE_S } from "../recording/trim.ts";
import { examplesOf } from "../testing/examples.ts";

const recorded = readFileSync(CAST, "utf8");
const cast = parseCast(recorded);
const screens = await play(cast);
const last = screens.at(-1);
if (last === undefined) throw new Error(`${CAST} is empty`);
const lines = textOf(last);

/** The commands, their lines joined, and the lines that each has printed. */
const commands: { command: string; printed: string[] }[] = [];
for (const line of lines) {
  const current = commands.at(-1);
  if (line.startsWith("$ ")) commands.push({ command: line.slice(2), printed: [] });
  else if (line.startsWith("> ") && current !== undefined) current.command += `\n${line}`;
  else if (line !== "$") current?.printed.push(line);
}
const printedBy = (command: string) =>
  commands
    .find((one) => one.command === command)
    ?.printed.join("\n")
    .trim();

/** The examples of README.md, without what differs from one run to another. */
const steady = (text: string) => text.replace(/^(Date|etag): .*/gim, "$1: any").replace(/^\d\.\d+ s$/m, "any time");
const examples = examplesOf(readFileSync("README.md", "utf8")).flatMap(({ command, shown }) =>
  shown === undefined ? [] : [{ command, shown: shown.trim() }],
);

describe("the recording shows what README.md does:", () => {
  test("some commands", () => expect(examples.length).toBeGreaterThan(2));

  test.each(examples)("$command", ({ command, shown }) => {
    const printed = steady(printedBy(command) ?? `(${command} is not in the recording)`);
    const expected = steady(shown).split("\n");
    // Such a line stands for lines left out.
    if (!expected.includes("…")) return expect(printed).toBe(steady(shown));
    const kept = expected.filter((line) => line !== "…" && !line.startsWith("├"));
    expect(printed.split("\n").filter((line) => kept.includes(line))).toEqual(kept);
  });
});

test("the launch, both crashes and the end", () => {
  expect(commands.map(({ command }) => command.split(/ \$| --/, 1)[0])).toEqual([
    "make up",
    "curl -i localhost:8001",
    "curl -i localhost:8000",
    "curl localhost:8001/traceback; curl -w '%{time_total} s\\n' localhost:8000",
    "curl localhost:8000/traceback",
    "docker inspect",
    "docker events",
    "make check",
    "make down",
  ]);
  expect(printedBy("make up")).toContain("==> both services are healthy\n");
  const [, , , crash, crashOfFrontend, restarts, exits] = commands.map(({ printed }) => printed);
  expect(crash?.[0]).toBe("curl: (52) Empty reply from server");
  const answer = printedBy("curl -i localhost:8000")?.split("\n\n")[1] ?? "(no answer)";
  expect(crash?.slice(1, -1).join("\n")).toBe(answer);
  // It answered late, because the backend was away, and within the budget of a call.
  expect(crash?.at(-1)).toMatch(/^(0\.[1-9]|[1-4]\.)\d+ s$/);
  expect(crashOfFrontend).toEqual(["curl: (52) Empty reply from server"]);
  const name = (line: string) => line.replace(/^.*[-_]api-(\w+)[-_]1: /, "$1: ");
  expect(restarts?.map(name).sort()).toEqual(["backend: running, restarts: 1", "frontend: running, restarts: 1"]);
  expect(exits?.map(name)).toEqual(["backend: exit code 1", "frontend: exit code 1"]);
  expect(lines.at(-1)).toBe("$");
  expect(recorded).not.toContain("]133;");
});

test("it lasts about a minute, and nobody has to wait", () => {
  const times = cast.printed.map(({ at }) => at);
  const waits = times.map((at, index) => at - (times[index - 1] ?? 0));
  expect(Math.max(...waits)).toBeLessThan(MAX_PAUSE_S + 0.1);
  expect(times.at(-1)).toBeLessThan(65);
});

test("it says nothing of the machine on which it was recorded", () => {
  expect(Object.keys(JSON.parse(recorded.split("\n", 1)[0] ?? ""))).toEqual([
    "version",
    "width",
    "height",
    "timestamp",
  ]);
  expect(lines.filter((line) => /\w@\w|(^|[\s"'(=:])\/(home|root|tmp|work|mnt|Users|var|srv)\//.test(line))).toEqual(
    [],
  );
});

describe("its picture", () => {
  const picture = readFileSync(SVG, "utf8");

  test("is drawn from it", () => {
    expect(Bun.hash(picture)).toBe(Bun.hash(pictureOf(cast, screens)));
  });

  test(`is, together with it, under ${MAX_BYTES} bytes`, () => {
    expect(Buffer.byteLength(recorded + picture)).toBeLessThan(MAX_BYTES);
  });
});
