// What `make push` and `make verify` refuse before they build or push anything.

import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { pathWithTools } from "../testing/publishing-tools.ts";
import { createTestStack, TEST_NAME } from "../testing/stack.ts";

const STANDIN = "localhost/tpdocker-standin/runtime:nonroot";
const stack = await createTestStack();
const folder = mkdtempSync(join(tmpdir(), "tpdocker-refusals-"));
const temporary = join(folder, "temporary");
mkdirSync(temporary);
const key = join(folder, "test.key");
const generate = ["cosign", "generate-key-pair", "--output-key-prefix", join(folder, "test")];
await runOrThrow(generate, { PATH: await pathWithTools(), COSIGN_PASSWORD: "not a secret" });

const signer = { COSIGN_KEY: key, COSIGN_PASSWORD: "not a secret" };

// It notes what it is asked, and knows no image.
const calls = join(folder, "calls");
const front = join(folder, "front");
mkdirSync(front);
writeFileSync(
  join(front, "oras"),
  `#!/bin/sh\necho "$*" >>'${calls}'\n[ "$1" = blob ] || { echo "Error: not there: not found" >&2; exit 1; }\n`,
  { mode: 0o755 },
);

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs one of the scripts, which must fail, and leave no temporary files. Its answer is what it printed on stderr. */
async function errorOf(script: "publish" | "verify", env: Environment): Promise<string> {
  writeFileSync(calls, "");
  const { code, stdout, stderr } = await run(["sh", `scripts/${script}`], {
    env: { ...stack.env, ...signer, TMPDIR: temporary, PATH: `${front}:${process.env.PATH}`, ...env },
  });
  expect(code).toBe(1);
  expect(stdout).toBe("");
  expect(readdirSync(temporary)).toEqual([]);
  return stderr;
}
const asked = () => readFileSync(calls, "utf8").trim().split("\n").filter(Boolean);

describeWithEngine("make push", () => {
  test("does not take another version than that of package.json", async () => {
    expect(await errorOf("publish", { LAB_VERSION: "9.9.9" })).toBe(
      "error: LAB_VERSION=9.9.9: the version of the images stands in package.json.\n" +
        "       Change it there, and commit.\n",
    );
  });

  test("names a wrong SOURCE_DATE_EPOCH", async () => {
    expect(await errorOf("publish", { SOURCE_DATE_EPOCH: "yesterday" })).toBe(
      "error: SOURCE_DATE_EPOCH=yesterday: expected a number of seconds since 1970.\n",
    );
    expect(asked()).toEqual([]);
  });

  test("names a key that is not there", async () => {
    const COSIGN_KEY = join(folder, "none.key");
    expect(await errorOf("publish", { COSIGN_KEY })).toBe(`error: COSIGN_KEY=${COSIGN_KEY}: there is no such file.\n`);
    expect(asked()).toEqual([]);
  });

  test("names a key that cannot be used, before anything is built", async () => {
    const empty = join(folder, "empty.key");
    writeFileSync(empty, "");
    for (const env of [{ COSIGN_KEY: empty }, { COSIGN_KEY: folder }, { COSIGN_PASSWORD: "wrong" }]) {
      const stderr = await errorOf("publish", env);
      expect(stderr).toStartWith(`error: the key ${env.COSIGN_KEY ?? key} cannot be used: `);
      expect(stderr).toEndWith("\n       A key with a password needs it in COSIGN_PASSWORD.\n");
      expect(stderr).not.toContain("wrong");
    }
    expect(asked()).toEqual([]);
  });

  test("names a public key that belongs to another key", async () => {
    const half = join(folder, "test.pub");
    const content = readFileSync(half, "utf8");
    writeFileSync(half, "another");
    const stderr = await errorOf("publish", {});
    writeFileSync(half, content);
    expect(stderr).toStartWith(`error: ${half} is not the public half of ${key}: nobody could verify with it.\n`);
  });

  test.each(["", "registry.example.org:5000"])("keeps images on a stand-in from the registry %p", async (registry) => {
    const bases = { BUN_IMAGE: "none/base:1", RUNTIME_IMAGE: STANDIN, LAB_REGISTRY: registry };
    expect(await errorOf("publish", bases)).toBe(
      [
        `error: the base of the images would be ${STANDIN}, a stand-in for where no registry can be reached.`,
        "To use the real one:  make clean, then make push",
        "To push it all the same:  make push ALLOW_STANDINS=yes\n",
      ].join("\n       "),
    );
    expect(asked()).toEqual([]);
    expect(await errorOf("publish", { ...bases, ALLOW_STANDINS: "1" })).toContain("would be");

    // Then it goes on, to the next thing that is missing.
    const stderr = await errorOf("publish", { ...bases, ALLOW_STANDINS: "yes" });
    expect(stderr).toEndWith("error: the base image docker.io/none/base:1 is in no registry.\n");
    const repository = `${registry || "docker.io"}/${TEST_NAME}/api-frontend`;
    expect(asked()).toContainEqual(expect.stringMatching(new RegExp(`^blob push ${repository} `)));
  });

  test("names a registry that cannot be reached", async () => {
    const LAB_REGISTRY = `127.0.0.1:${await freePort()}`;
    const stderr = await errorOf("publish", { LAB_REGISTRY, PATH: process.env.PATH });
    expect(stderr.slice(stderr.indexOf("error: "))).toBe(
      `error: ${LAB_REGISTRY} does not take images for ${LAB_REGISTRY}/${TEST_NAME}/api-backend: ` +
        `dial tcp ${LAB_REGISTRY}: connect: connection refused\n` +
        `       Is ${LAB_REGISTRY} reachable? To use another one:  make push LAB_REGISTRY=<host>\n`,
    );
  });

  // On another system than Debian; in a mount namespace, so that only these commands see it.
  const elsewhere = (PATH: string) => {
    const script = "mount --bind /dev/null /etc/os-release && exec sh scripts/publish";
    const env = { ...stack.env, ...signer, TMPDIR: temporary, PATH };
    return run(["unshare", "--mount", "sh", "-c", script], { env });
  };
  test.skipIf(process.getuid?.() !== 0).each(["oras", "cosign"])(
    "on no Debian, names %s if it is missing",
    async (name) => {
      if (Bun.which(name) !== null) return;
      const { code, stderr } = await elsewhere(`${name === "cosign" ? `${front}:` : ""}${process.env.PATH}`);
      expect(stderr).toBe(
        `error: ${name} is not installed; it can be downloaded on Debian and Ubuntu only.\n` +
          "       Install it and run the command again.\n",
      );
      expect(code).toBe(1);
    },
  );
});

describeWithEngine("make verify", () => {
  test("names a key that is not there", async () => {
    const KEY = join(folder, "none.pub");
    expect(await errorOf("verify", { IMAGE: "alice/api-backend", KEY })).toBe(
      [
        `error: ${KEY}: there is no such file.`,
        "Name the publisher's public key:  make verify IMAGE=<image> KEY=<file>",
        "For an image that a workflow on GitHub has published:  make verify IMAGE=<image> IDENTITY=<the workflow's address>\n",
      ].join("\n       "),
    );
  });

  test("does not take an empty name for no name", async () => {
    expect(await errorOf("verify", { IMAGE: "" })).toStartWith("error: IMAGE is empty.\n");
    expect(await errorOf("verify", { IMAGE: undefined, KEY: key })).toStartWith(
      "error: KEY and IDENTITY say who has signed",
    );
  });

  test("names an image that is not there", async () => {
    expect(await errorOf("verify", { IMAGE: "alice/api-backend", KEY: key })).toBe(
      "error: docker.io/alice/api-backend:latest: the registry has no such image.\n",
    );
    expect(asked()).toEqual(["resolve docker.io/alice/api-backend:latest"]);
  });
});
