// What a user does wrong: one clear line that says what, where and what to do, an exit code that is not 0, and
// nothing half-started.

import { afterAll, afterEach, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { createTestStack, leftovers, removeImages } from "../testing/stack.ts";

const stack = await createTestStack();
const folder = mkdtempSync(join(tmpdir(), "tpdocker mistakes "));

afterEach(async () => expect(await leftovers()).toBe(""));
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await removeImages();
});

/** Runs a command that must fail, and gives what it said. */
async function mistake(command: string[], env: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, { env: { ...stack.env, ...env } });
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  return stderr;
}

test("a port that is taken is named, with the variable that moves it", async () => {
  const taken: Server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
  try {
    expect(await mistake(["scripts/up"], { FRONTEND_PORT: String(port) })).toBe(
      `error: port ${port} of this machine, for api-frontend, is taken by another program.\n` +
        `       Give it another one:  make up FRONTEND_PORT=${port > 64535 ? port - 1000 : port + 1000}\n`,
    );
  } finally {
    taken.close();
  }
});

test.each([
  [{ BACKEND_PORT: "http" }, "error: BACKEND_PORT=http: expected a port number from 1 to 65535.\n"],
  [{ FRONTEND_PORT: "65536" }, "error: FRONTEND_PORT=65536: expected a port number from 1 to 65535.\n"],
  [
    { HUB_USER: "Alice" },
    "error: HUB_USER=Alice is no account name of a registry.\n" +
      "       It holds lower-case letters and digits, with . _ or - between them.\n",
  ],
])("%p is told as it is", async (env, line) => {
  expect(await mistake(["scripts/up"], env)).toBe(line);
});

test("a variable that a service refuses is shown in its own words, and nothing keeps running", async () => {
  const said = await mistake(["scripts/up"], { LOG_LEVEL: "loud" });
  expect(said).toContain('LOG_LEVEL="loud": expected info or debug');
  expect(said).toContain("error: the stack did not start.");
});

test("make push without a login says how to log in, before it builds", async () => {
  expect(await mistake(["scripts/publish"], { DOCKER_CONFIG: folder })).toBe(
    `error: docker.io does not take a push under the account ${stack.env.HUB_USER}: not logged in, or another's account.\n` +
      `       Log in:  docker login --username ${stack.env.HUB_USER}\n` +
      "       Another account:  make push HUB_USER=<account>\n",
  );
});

test("a registry that is out of reach is named", async () => {
  const REGISTRY = `127.0.0.1:${await freePort()}`;
  const said = await mistake(["scripts/publish"], { REGISTRY });
  expect(said).toContain(`error: ${REGISTRY}/${stack.env.HUB_USER}/api-backend:latest could not be pushed.`);
});

test("an engine that is not there is an error with what to do", async () => {
  expect(await mistake(["scripts/engine"], { DOCKER_HOST: "unix:///none.sock" })).toBe(
    "error: no Docker engine answers at DOCKER_HOST=unix:///none.sock.\n" +
      "       Start it, or unset DOCKER_HOST to use the engine of this machine.\n",
  );
});

/** The scripts alone, in a folder that everybody may read. */
function scripts(): string {
  const copy = join(folder, "copy");
  mkdirSync(copy, { recursive: true });
  cpSync("setup", join(copy, "setup"), { recursive: true });
  // Base images, and a version of Bun, that this machine cannot have already.
  mkdirSync(join(copy, "api-backend"), { recursive: true });
  writeFileSync(
    join(copy, "api-backend/Dockerfile"),
    "ARG BUN_IMAGE=registry.invalid/bun:1\nARG RUNTIME_IMAGE=registry.invalid/runtime:1\n",
  );
  writeFileSync(join(copy, "package.json"), '  "packageManager": "bun@0.0.0",\n');
  chmodSync(folder, 0o755);
  return copy;
}

const asRoot = test.skipIf(process.getuid?.() !== 0);

asRoot("a user without the right to the socket is told how to get it", async () => {
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const said = await mistake([...nobody, `${scripts()}/scripts/engine`], { HOME: "/nonexistent" });
  expect(said).toContain("error: no right to use the Docker socket (user nobody).\n");
  expect(said).toContain("sudo usermod -aG docker nobody");
});

asRoot("without any network the missing base images are an error that names it", async () => {
  const env = { BUN_IMAGE: "", RUNTIME_IMAGE: "", npm_config_cache: join(folder, "npm") };
  const said = await mistake(["unshare", "--net", `${scripts()}/scripts/bases`], env);
  expect(said).toMatch(/^error: .+ could not (fetch|download).+$/m);
  expect(said).toContain("within reach?");
});
