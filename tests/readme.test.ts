// The README's commands are run, and its output is compared with theirs. Its links, and those of docs/, lead somewhere.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Environment, runOrThrow } from "../host/command.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { PORT, SERVICES } from "../testing/services.ts";
import { createTestStack } from "../testing/stack.ts";

const MAX_WORDS = 900;
const TIMEOUT_MS = 5 * 60_000;

const read = (path: string) => readFileSync(path, "utf8");
const readme = read("README.md");

const NO_PROXY = { no_proxy: "localhost" };
/** With Docker Hub out of reach, the verdict on `published` is the same on every machine. */
const NO_HUB = { HTTPS_PROXY: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9" };

/** Every command that the README may show, with the variables that it needs here. */
const COMMANDS: Record<string, Environment> = {
  "make up": {},
  "curl -i localhost:8001": NO_PROXY,
  "curl -i localhost:8000": NO_PROXY,
  "make down": {},
  "make check": NO_HUB,
};

/** The commands of the fenced blocks: in `console` with a prompt, and the output shown below; in `sh` alone. */
function examplesOf(page: string): { command: string; shown?: string }[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([block, language, text = ""]) => {
    if (language === "sh")
      return text
        .trim()
        .split("\n")
        .map((line) => ({ command: line.replace(/ +#.*/, "") }));
    if (language !== "console" || !text.startsWith("$ ")) throw new Error(`not sh, and not console:\n${block}`);
    return text
      .split(/^\$ /m)
      .slice(1)
      .map((part) => ({ command: part.split("\n", 1)[0] ?? "", shown: part.slice(part.indexOf("\n") + 1) }));
  });
}

/** Output without what may differ: the order and case of headers, dates, and the titles in the grader's table. */
function normalize(text: string): string {
  const plain = text.replaceAll("\r", "").trim();
  if (!plain.startsWith("HTTP/"))
    return plain.replace(/^[┌├└].*\n/gm, "").replace(/^│ (\S*) +│.*│ (\S+) +│ (\S+) +│$/gm, "$1 $2 $3");
  const [head = "", ...body] = plain.split("\n\n");
  const [status, ...headers] = head.toLowerCase().split("\n");
  const kept = headers.map((header) => header.replace(/^(date|etag): .+/, "$1: any"));
  return [status, ...kept.sort(), "", ...body].join("\n");
}

/** A line with nothing but `…` in the README says that its output is an excerpt. */
function expectShown(printed: string, shown: string): void {
  const lines = normalize(shown).split("\n");
  const expected = lines.filter((line) => line !== "…");
  const isExcerpt = expected.length < lines.length;
  const compared = normalize(printed)
    .split("\n")
    .filter((line) => !isExcerpt || expected.includes(line));
  expect(compared).toEqual(expected);
}

describeWithEngine("what README.md shows comes out of", async () => {
  const stack = await createTestStack();
  afterAll(() => stack.remove(), TIMEOUT_MS);

  test.each(examplesOf(readme))(
    "$command",
    async ({ command, shown }) => {
      // It is what runs this test.
      if (command === "make test") return expect(read("Makefile")).toMatch(/^test: /m);
      if (COMMANDS[command] === undefined) throw new Error(`this test does not know how to run: ${command}`);
      const here = SERVICES.reduce((text, name) => text.replace(`:${PORT[name]}`, `:${stack.ports[name]}`), command);
      const printed = await runOrThrow(here.split(" "), { ...stack.env, ...COMMANDS[command] });
      if (shown !== undefined) expectShown(printed, shown);
    },
    TIMEOUT_MS,
  );
});

test(`README.md has under ${MAX_WORDS} words`, () => {
  expect(readme.split(/\s+/).filter(Boolean).length).toBeLessThan(MAX_WORDS);
});

const PAGES = ["README.md", ...new Bun.Glob("docs/*.md").scanSync()];

/** The anchors that GitHub gives to the headings of a page. */
const anchorsOf = (page: string) =>
  [...page.replace(/^```[\s\S]*?^```$/gm, "").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

describe("links lead to files and headings that exist", () => {
  test.each(PAGES)("%s", (path) => {
    const targets = [...read(path).matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);
    const broken = targets.filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [file, anchor] = target.split("#");
      const linked = file ? join(dirname(path), file) : path;
      return !existsSync(linked) || (anchor !== undefined && !anchorsOf(read(linked)).includes(anchor));
    });
    expect(broken).toEqual([]);
  });
});
