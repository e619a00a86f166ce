// Where the helper's image comes from, with a `docker` command that only writes down how it was called.

import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { helperImage } from "../helper-image.ts";
import { Skipped } from "../rule.ts";

const { PATH } = process.env;
const ARCHITECTURE = process.arch === "x64" ? "amd64" : "arm64";
const EMBEDDED = expect.stringMatching(/^localhost\/tpdocker-grader\/busybox:[0-9a-f]{12}$/);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "grader-image-"));
  process.env.PATH = `${folder}:${PATH}`;
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(folder, { recursive: true });
});

/** Installs the command: `answers` are the branches of a shell's `case`, by the first argument. */
function fakeDocker(answers: string) {
  const script = `#!/bin/sh\necho "$*" >>"$(dirname "$0")/calls"\ncase $1 in\n${answers}\nesac\n`;
  writeFileSync(join(folder, "docker"), script, { mode: 0o755 });
}

/** The first words of the calls. */
const calls = () =>
  readFileSync(join(folder, "calls"), "utf8")
    .trim()
    .split("\n")
    .map((call) => call.split(" ")[0]);

test("an image that the engine has is used", async () => {
  fakeDocker("image) exit 0 ;;");
  expect(await helperImage()).toEqual(EMBEDDED);
  expect(calls()).toEqual(["image"]);
});

// scripts/busybox leaves the file empty where it cannot be had.
const isEmbedded = statSync(".cache/grader-busybox").size > 0;

test.skipIf(!isEmbedded)("otherwise it is made, once for all gradings of this process", async () => {
  const archive = join(folder, "image.tar");
  fakeDocker(`image) test -e '${archive}' ;;\nversion) echo ${ARCHITECTURE} ;;\nimport) cp "$4" '${archive}' ;;`);
  expect(await Promise.all([helperImage(), helperImage()])).toEqual([EMBEDDED, EMBEDDED]);
  expect(calls().filter((call) => call === "import")).toHaveLength(1);
  expect(await runOrThrow(["tar", "-tvf", archive])).toMatch(/^-rwxr-xr-x 0\/0 +\d+ .* bin\/busybox$/);
  await runOrThrow(["tar", "-xf", archive, "-C", folder]);
  expect(await runOrThrow([join(folder, "bin/busybox"), "echo", "it runs"])).toBe("it runs");
});

test("for another kind of processor it is pulled", async () => {
  fakeDocker("image) exit 1 ;;\nversion) echo s390x ;;\npull) exit 0 ;;");
  expect(await helperImage()).toBe("docker.io/library/busybox:1.37.0-musl");
  expect(calls()).toEqual(["image", ...(isEmbedded ? ["version"] : []), "image", "pull"]);
});

test("if it can be neither made nor pulled, the rule is skipped", async () => {
  fakeDocker("image) exit 1 ;;\nversion) echo s390x ;;\npull) echo no such host >&2; exit 1 ;;");
  const error = await helperImage().catch((error) => error);
  expect(error).toBeInstanceOf(Skipped);
  expect(error.reason.en).toBe(
    "the processes of the containers cannot be seen without the image docker.io/library/busybox:1.37.0-musl: no such host",
  );
});
