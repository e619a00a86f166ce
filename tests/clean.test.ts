// `make clean` removes what this project made, and nothing else.

import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { startRegistry } from "../testing/registry.ts";
import { compose2, createTestStack, removeImages, TEST_NAME } from "../testing/stack.ts";

const stack = await createTestStack();
const variables = await compose2();
const folder = mkdtempSync(join(tmpdir(), "tpdocker-clean-"));
afterAll(() => rmSync(folder, { recursive: true }));

// The label, and the names of the stand-ins and of the grader's image, are the same for all checkouts on an engine: with
// those of this project the test would remove other people's images. It has its own.
const LABEL = `${TEST_NAME}.image`;
const STANDINS = `standin.${TEST_NAME}`;
const GRADER = `grader.${TEST_NAME}`;

/** A copy of the checkout with that label and those names, and with downloads. */
const checkout = join(folder, "checkout");
const FILES = [".env.example", "docker-compose.yaml", "package.json", "scripts"];
const WITHOUT_DOWNLOADS = [".env", ...FILES];
// In Latin-1, which Compose 1 cannot read.
const OWN_LINES = `# Port de la d${variables ? "\xe9" : "e"}mo\nFRONTEND_PORT=9000\n`;
const STANDIN_LINES = `BUN_IMAGE=localhost/${STANDINS}/bun:1.4.5\nRUNTIME_IMAGE=localhost/${STANDINS}/runtime:nonroot\n`;

beforeEach(() => {
  rmSync(checkout, { recursive: true, force: true });
  for (const path of FILES) cpSync(path, join(checkout, path), { recursive: true });
  for (const name of readdirSync("scripts")) {
    const text = readFileSync(join("scripts", name), "utf8");
    const changed = text
      .replaceAll("tpdocker.image", LABEL)
      .replaceAll("tpdocker-standin", STANDINS)
      .replaceAll("tpdocker-grader", GRADER);
    writeFileSync(join(checkout, "scripts", name), changed);
  }
  for (const path of [".cache", "bin", "node_modules"]) {
    mkdirSync(join(checkout, path));
    writeFileSync(join(checkout, path, "file"), "");
  }
  writeFileSync(join(checkout, ".env"), OWN_LINES + STANDIN_LINES, "latin1");
});

const readEnv = () => readFileSync(join(checkout, ".env"), "latin1");

const clean = (env: Environment = {}) =>
  run(["sh", join(checkout, "scripts/clean")], {
    env: { ...stack.env, FRONTEND_PORT: undefined, ...variables, ...env },
  });

const archive = join(folder, "empty.tar");
// Two blocks of zeros are the end of an archive.
writeFileSync(archive, new Uint8Array(1024));

/** Makes an empty image, with a name or without, and returns its id. */
const makeImage = (label: string, ...name: string[]) =>
  runOrThrow(["docker", "import", "--change", `LABEL ${label}`, archive, ...name]);

/** The names of all images of this test. */
async function imageNames(): Promise<string[]> {
  const names = await runOrThrow(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
  // The account of tests that run beside these has a hyphen.
  return names.split("\n").filter((name) => name.includes(TEST_NAME) && !name.includes(`${TEST_NAME}-`));
}

const exists = async (id: string) => (await run(["docker", "image", "inspect", id])).code === 0;

describeWithEngine("make clean", () => {
  afterEach(async () => {
    await removeImages();
    const ids = await runOrThrow(["docker", "image", "ls", "--quiet", "--filter", `label=${LABEL}`]);
    if (ids !== "") await runOrThrow(["docker", "image", "rm", "--force", ...new Set(ids.split("\n"))]);
  });

  test("removes the images of both services, whatever their names, the stand-ins and the grader's", async () => {
    for (const prefix of [
      TEST_NAME,
      `bob.${TEST_NAME}`,
      `127.0.0.1:5000/${TEST_NAME}`,
      `registry.invalid/a/${TEST_NAME}`,
    ])
      for (const service of ["api-backend", "api-frontend"])
        for (const tag of ["latest", "1.0.0"]) await makeImage(`${LABEL}=${service}`, `${prefix}/${service}:${tag}`);
    await makeImage(`${LABEL}=standin`, `localhost/${STANDINS}/bun:1.4.5`);
    await makeImage(`${LABEL}=standin`, `localhost/${STANDINS}/runtime:nonroot`);
    await makeImage(`${LABEL}=grader`, `localhost/${GRADER}/busybox:0123456789ab`);
    // Of build stages, of earlier builds, and of a grader that ran beside another.
    const nameless = [
      await makeImage(`${LABEL}=build`),
      await makeImage(`${LABEL}=api-backend`),
      await makeImage(`${LABEL}=grader`),
    ];

    const { code, stdout, stderr } = await clean();
    expect(stderr).not.toContain("kept");
    expect(stderr).not.toContain("error");
    expect({ code, stdout, names: await imageNames() }).toEqual({ code: 0, stdout: "", names: [] });
    for (const id of nameless) expect(await exists(id)).toBe(false);
    expect(readdirSync(checkout).sort()).toEqual(WITHOUT_DOWNLOADS);
    expect(readEnv()).toBe(OWN_LINES);

    // There is nothing left to remove.
    expect((await clean()).code).toBe(0);
    expect(readEnv()).toBe(OWN_LINES);
  });

  test("removes an earlier image of which only the digest in a registry is left", async () => {
    const registry = await startRegistry();
    const name = `${registry.address}/${TEST_NAME}/api-backend:latest`;
    try {
      const earlier = await makeImage(`${LABEL}=api-backend`, name);
      await runOrThrow(["docker", "push", "--quiet", name]);
      await makeImage(`${LABEL}=api-backend`, name);
      expect((await imageNames()).sort()).toEqual([name.replace("latest", "<none>"), name]);

      const { code, stderr } = await clean();
      expect(stderr).not.toContain("kept");
      expect(code).toBe(0);
      expect(await exists(earlier)).toBe(false);
      expect(await imageNames()).toEqual([]);
    } finally {
      await registry.stop();
    }
  });

  test("keeps other people's images", async () => {
    const ours = `${TEST_NAME}/api-backend:latest`;
    await makeImage(`${LABEL}=api-backend`, ours);
    const standin = `localhost/${STANDINS}/runtime:nonroot`;
    await makeImage(`${LABEL}=standin`, standin);
    const busybox = `localhost/${GRADER}/busybox:0123456789ab`;
    await makeImage(`${LABEL}=grader`, busybox);
    const strangers = [
      `alice.${TEST_NAME}/api-backend:latest`,
      `bob.${TEST_NAME}/app:latest`,
      `carol.${TEST_NAME}/api-backend:latest`,
      `dave.${TEST_NAME}/app:latest`,
      `eve.${TEST_NAME}/busybox:latest`,
    ] as const;
    const [titled, based, onStandin, unlabelled, onBusybox] = strangers;
    // Of the same lab, with the same title.
    await makeImage("org.opencontainers.image.title=api-backend", titled);
    // They inherit the label.
    await build(based, ours);
    await build(onStandin, standin);
    await build(onBusybox, busybox);
    await makeImage("a=b", unlabelled);
    const nameless = await makeImage("a=b");

    try {
      const { code, stderr } = await clean();
      expect(stderr).not.toContain("kept");
      expect(code).toBe(0);
      expect((await imageNames()).sort()).toEqual([...strangers]);
      expect(await exists(nameless)).toBe(true);
    } finally {
      await runOrThrow(["docker", "image", "rm", nameless]);
    }
  });

  test("without an engine, says so and removes the downloads only", async () => {
    const names = [`${TEST_NAME}/api-backend:latest`, `localhost/${STANDINS}/bun:1.4.5`];
    await makeImage(`${LABEL}=api-backend`, names[0] ?? "");
    await makeImage(`${LABEL}=standin`, names[1] ?? "");
    expect(await clean({ DOCKER_HOST: "unix:///none" })).toEqual({
      code: 0,
      stdout: "",
      stderr:
        "==> the stack and the images stay: cannot connect to the Docker engine at DOCKER_HOST=unix:///none.\n" +
        "==> removed .cache, bin and node_modules\n",
    });
    expect((await imageNames()).sort()).toEqual(names.sort());
    // It names the stand-ins, which are still there.
    expect(readEnv()).toBe(OWN_LINES + STANDIN_LINES);
    expect(readdirSync(checkout).sort()).toEqual(WITHOUT_DOWNLOADS);
  });
});

/** Builds an image from another one. */
async function build(name: string, base: string) {
  const context = mkdtempSync(join(folder, "context-"));
  writeFileSync(join(context, "Dockerfile"), `FROM ${base}\nLABEL stranger=yes\n`);
  await runOrThrow(["docker", "build", "--quiet", "--tag", name, context]);
}
