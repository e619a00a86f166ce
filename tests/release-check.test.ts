// `make release-check`: the tag of a release is the version.

import { expect, test } from "bun:test";
import { run } from "../host/command.ts";
import { version } from "../package.json" with { type: "json" };

const UNSET = { TAG: undefined, GITHUB_REF_TYPE: undefined, GITHUB_REF_NAME: undefined };
const check = (env: Record<string, string>) => run(["make", "release-check"], { env: { ...UNSET, ...env } });
const onGitHub = (type: string, name: string) => ({ GITHUB_REF_TYPE: type, GITHUB_REF_NAME: name });

test.each([{ TAG: `v${version}` }, onGitHub("tag", `v${version}`)])("passes with %p", async (env) => {
  const stderr = `==> the tag v${version} is the version in package.json\n`;
  expect(await check(env)).toEqual({ code: 0, stdout: "", stderr });
});

test.each([
  [{ TAG: "v0.0.0" }, "the tag v0.0.0 is not"],
  [{ TAG: version }, `the tag ${version} is not`],
  [onGitHub("tag", "v0.0.0"), "the tag v0.0.0 is not"],
  // Whoever may push a tag chooses its name: make would run this.
  [onGitHub("tag", "v$(shell echo 1)"), "the tag v$(shell echo 1) is not"],
  [onGitHub("branch", `v${version}`), "no tag to compare"],
  [{}, "no tag to compare"],
])("fails with %p", async (env, message) => {
  const { code, stdout, stderr } = await check(env);
  expect(stderr).toStartWith(`error: ${message}`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});
