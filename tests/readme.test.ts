// The commands of both READMEs are run, and the output they show is compared with theirs. Neither says what the other
// does not. Links lead somewhere, in docs/ too.

import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Environment, runOrThrow } from "../host/command.ts";
import { PORT, SERVICES } from "../lab/services.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { examplesOf } from "../testing/examples.ts";
import { createTestStack } from "../testing/stack.ts";

const MAX_WORDS = 900;
const TIMEOUT_MS = 5 * 60_000;

const read = (path: string) => readFileSync(path, "utf8");
const READMES = ["README.md", "README.fr.md"] as const;

// curl shows no progress on a terminal, where README's reader is.
const curlHome = mkdtempSync(join(tmpdir(), "tpdocker-curl-"));
writeFileSync(join(curlHome, ".curlrc"), "silent\nshow-error\n");
afterAll(() => rmSync(curlHome, { recursive: true }));

const CURL = { no_proxy: "localhost", CURL_HOME: curlHome };
/** With Docker Hub out of reach, the verdict on `published` is the same on every machine. */
const NO_HUB = { HTTPS_PROXY: "http://127.0.0.1:9", https_proxy: "http://127.0.0.1:9" };

/** Every command that a README may show, with the variables that it needs here. */
const COMMANDS: Record<string, Environment> = {
  "make up": {},
  "curl -i localhost:8001": CURL,
  "curl -i localhost:8000": CURL,
  "curl localhost:8001/traceback; curl -w '%{time_total} s\\n' localhost:8000": CURL,
  "make down": {},
  "make check": NO_HUB,
};

/** Output without what may differ: the order and case of headers, dates, times, and the titles in the grader's table. */
function normalize(text: string): string {
  const plain = text
    .replaceAll("\r", "")
    .replace(/^\d\.\d+ s$/m, "any time")
    .trim();
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

describeWithEngine("what the READMEs show comes out of", async () => {
  const stack = await createTestStack();
  afterAll(() => stack.remove(), TIMEOUT_MS);

  test.each(examplesOf(read("README.md")))(
    "$command",
    async ({ command, shown }) => {
      // It is what runs this test.
      if (command === "make test") return expect(read("Makefile")).toMatch(/^test: /m);
      if (COMMANDS[command] === undefined) throw new Error(`this test does not know how to run: ${command}`);
      const here = SERVICES.reduce((text, name) => text.replace(`:${PORT[name]}`, `:${stack.ports[name]}`), command);
      const printed = await runOrThrow(["sh", "-c", `exec 2>&1\n${here}`], { ...stack.env, ...COMMANDS[command] });
      if (shown !== undefined) expectShown(printed, shown);
    },
    TIMEOUT_MS,
  );
});

test(`README.md has under ${MAX_WORDS} words`, () => {
  expect(read("README.md").split(/\s+/).filter(Boolean).length).toBeLessThan(MAX_WORDS);
});

const linksOf = (text: string) => [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = ""]) => target);

/** What a section has in any language: the level of its heading, code, pictures and links, names, and commands. */
function sectionsOf(page: string) {
  const [other] = READMES.filter((name) => name !== page);
  return read(page)
    .split(/^(?=##* )/m)
    .map((section) => {
      const prose = section.replace(/^```[\s\S]*?^```$/gm, "");
      return {
        level: /^#*/.exec(section)?.[0],
        examples: examplesOf(section),
        links: linksOf(prose).map((target) => (target === other ? "the other one" : target)),
        code: [...new Set([...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code))].sort(),
        rows: prose.match(/^\|.*\|$/gm)?.length,
      };
    });
}

test("both READMEs have the same sections, commands, answers, links and names", () => {
  const [english, french] = READMES.map(sectionsOf);
  expect(english?.length).toBeGreaterThan(4);
  expect(french).toEqual(english);
});

const PAGES = [...new Bun.Glob("*.md").scanSync(), ...new Bun.Glob("docs/*.md").scanSync()];

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
    const broken = linksOf(read(path)).filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [file, anchor] = target.split("#");
      const linked = file ? join(dirname(path), file) : path;
      return !existsSync(linked) || (anchor !== undefined && !anchorsOf(read(linked)).includes(anchor));
    });
    expect(broken).toEqual([]);
  });
});
