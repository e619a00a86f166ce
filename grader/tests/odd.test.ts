// Folders that hold something else than a submission should. Each gets a verdict, not an error. Nothing is started.

import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeWithEngine } from "../../testing/engine.ts";
import { requireEngine } from "../compose.ts";
import { RULES } from "../grade.ts";
import { gradeFolder, MINUTE_MS, outcome } from "./grading.ts";
import { change, type Files, right, write } from "./submissions.ts";

setDefaultTimeout(MINUTE_MS);

const COMPOSE = "docker-compose.yaml";
const DOCKERFILE = "api-backend/Dockerfile";

const without = (name: string): Files =>
  Object.fromEntries(Object.entries(right).filter(([path]) => path !== name && !path.startsWith(`${name}/`)));

/** Aliases of lists of aliases: some lines that stand for millions of values. */
const BOMB = ["a: &a [x, x, x, x, x, x, x, x]"]
  .concat(["ab", "bc", "cd", "de", "ef", "fg"].map(([from, to]) => `${to}: &${to} [${`*${from}, `.repeat(8)}]`))
  .join("\n");

/** What the rule `up` sees, by what the Compose file contains. */
const COMPOSE_FILES: Record<string, [content: string | Buffer, seen: RegExp]> = {
  nothing: ["", /not a mapping/],
  "a comment": ["# services\n", /not a mapping/],
  "a list": ["- services\n", /not a mapping/],
  "2 MB": [`${right[COMPOSE]}${"# x\n".repeat(500_000)}`, /larger than/],
  "a key twice": [right[COMPOSE]?.replace("build:", "restart: always\n    build:") ?? "", /Map keys must be unique/],
  "a text that aliases make long": [
    `x: &x "${"a".repeat(50_000)}"\nservices: {a: {image: a, labels: [${"*x, ".repeat(90)}]}}\n`,
    /too large with its aliases/,
  ],
  "two documents": [`${right[COMPOSE]}---\nservices: {}\n`, /several YAML documents; write one/],
  "a bomb of aliases": [BOMB, /Excessive alias count/],
  "an alias of what contains it": ["services:\n  a: &a {image: a, command: [*a]}\n", /cyclic/],
  "a list of lists of lists": [`services: ${"[".repeat(20_000)}`, /Compose rejects the file/],
  "a tab": [right[COMPOSE]?.replace("    build", "\tbuild") ?? "", /Tabs are not allowed/],
  "UTF-16": [Buffer.from(`\ufeff${right[COMPOSE]}`, "utf16le"), /not a mapping/],
  "services without content": ["services:\n  api-backend:\n  api-frontend:\n", /must be a mapping/],
  "names of JavaScript": ["services: {__proto__: {image: a}, constructor: {image: a}}\n", /no service/],
  "a service that extends itself": [
    "services: {a: {extends: {service: a}, image: a}}\n",
    /Circular reference|circular/i,
  ],
};

/** The rules that fail, by what a folder holds. */
const FOLDERS: Record<string, [files: Files, failed: string[], more?: (folder: string) => void]> = {
  nothing: [{}, ["tree", "label"]],
  "a file instead of a folder": [{ ...without("api-backend"), "api-backend": "" }, ["tree", "label"]],
  "a file as the context of a build": [change(right, [COMPOSE, "./api-backend", "./LICENSE"]), []],
  "no context of a build": [change(right, [COMPOSE, "./api-backend", "./none"]), []],
  "a folder instead of a Dockerfile": [
    without(DOCKERFILE),
    ["tree", "label"],
    (folder) => mkdirSync(join(folder, DOCKERFILE)),
  ],
  "a folder instead of a Compose file": [without(COMPOSE), ["tree"], (folder) => mkdirSync(join(folder, COMPOSE))],
  "a Dockerfile in UTF-16": [
    right,
    ["label"],
    (folder) => writeFileSync(join(folder, DOCKERFILE), Buffer.from(`\ufeff${right[DOCKERFILE]}`, "utf16le")),
  ],
  "half a Dockerfile": [{ ...right, [DOCKERFILE]: "FROM\nLABEL\nLABEL =\nARG\nENV\nFROM $x as\nRUN <<" }, ["label"]],
  "a file that root alone reads": [
    right,
    process.getuid?.() === 0 ? [] : ["tree"],
    (folder) => chmodSync(join(folder, "LICENSE"), 0),
  ],
  "10,000 files": [
    right,
    [],
    (folder) => {
      mkdirSync(join(folder, "many"));
      for (let i = 0; i < 10_000; i++) writeFileSync(join(folder, "many", String(i)), "");
    },
  ],
  "names in many scripts": [{ ...right, "日本語/имя\n\u202e.txt": "", "api-backend/ \t'\"$(x)`\\": "", "😀": "" }, []],
  "links in a circle": [
    right,
    [],
    (folder) => {
      for (const [name, target] of ["ab", "ba", "c."]) symlinkSync(target ?? "", join(folder, name ?? ""));
    },
  ],
};

/** Grades by some rules. */
async function judge(files: Files, ids: string[], more?: (folder: string) => void) {
  const folder = write(files);
  try {
    more?.(folder);
    const rules = RULES.filter(({ id }) => ids.includes(id));
    return outcome(await gradeFolder(folder, { rules, advice: false }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describeWithEngine("a verdict", () => {
  beforeAll(requireEngine);

  test.each(Object.entries(COMPOSE_FILES))("on a Compose file that holds %s", async (_, [content, seen]) => {
    const { failed } = await judge(right, ["up"], (folder) => writeFileSync(join(folder, COMPOSE), content));
    expect(failed).toEqual([["up", [expect.stringMatching(seen)]]]);
  });

  test.each(Object.entries(FOLDERS))("on a folder that holds %s", async (_, [files, expected, more]) => {
    const { failed } = await judge(files, ["safe", "tree", "label"], more);
    expect(failed.map(([id]) => id)).toEqual(expected);
  });
});
