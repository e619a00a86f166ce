// User errors: the message says what is wrong, where, and what to do; the exit code is not 0; nothing keeps running.

import { afterAll, afterEach, expect, test } from "bun:test";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { copyCheckout } from "../testing/checkout.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { createTestStack, leftovers, removeImages } from "../testing/stack.ts";

const stack = await createTestStack();
const folder = mkdtempSync(join(tmpdir(), "tpdocker mistakes "));

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command that must fail and returns what it printed on stderr. */
async function errorOf(command: string[], env: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, { env: { ...stack.env, ...env } });
  expect(code).not.toBe(0);
  expect(stdout).toBe("");
  return stderr;
}

test.each([
  [{ BACKEND_PORT: "http" }, "error: BACKEND_PORT=http: expected a port number from 1 to 65535.\n"],
  [{ FRONTEND_PORT: "65536" }, "error: FRONTEND_PORT=65536: expected a port number from 1 to 65535.\n"],
  [
    { HUB_USER: "Alice" },
    "error: HUB_USER=Alice: expected an account name: lower-case letters and digits, with single . _ or - between them.\n",
  ],
])("make up rejects %p", async (env, message) => {
  expect(await errorOf(["sh", "scripts/up"], env)).toBe(message);
});

describeWithEngine("with an engine", () => {
  // The first check covers the tests above as well.
  afterEach(async () => expect(await leftovers()).toBe(""));
  afterAll(removeImages);

  test("a port in use is named, with the variable that changes it", async () => {
    const server: Server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    try {
      expect(await errorOf(["sh", "scripts/up"], { FRONTEND_PORT: String(port) })).toBe(
        `error: port ${port} on this machine, needed by api-frontend, is already in use.\n` +
          `       Use another port:  make up FRONTEND_PORT=${port > 64535 ? port - 1000 : port + 1000}\n`,
      );
    } finally {
      server.close();
    }
  });

  test("a misspelt name in .env is named before anything is done", async () => {
    const copy = await copyCheckout();
    try {
      writeFileSync(join(copy.folder, ".env"), "BACKNED_PORT=9001\n");
      const env = { ...stack.env, BACKEND_PORT: "9000", FRONTEND_PORT: "9000" };
      expect((await run(["sh", "scripts/up"], { cwd: copy.folder, env })).stderr).toBe(
        "==> .env sets BACKNED_PORT, which nothing reads: see .env.example for the names\n" +
          "error: BACKEND_PORT and FRONTEND_PORT are both 9000.\n       Set one of them to another port.\n",
      );
    } finally {
      copy.remove();
    }
  });

  test("if a service rejects a variable, make up shows the service's message and stops", async () => {
    const stderr = await errorOf(["sh", "scripts/up"], { LAB_LOG_LEVEL: "loud" });
    expect(stderr).toContain('LOG_LEVEL="loud": expected debug, info, warn or error');
    expect(stderr).toContain("error: api-backend does not accept its variables.\n");
  });

  test.each(["restart", "logs"])("make %s without a stack says how to start it", async (target) => {
    expect(await errorOf(["sh", "scripts/manage", target])).toBe(
      `error: the stack ${stack.env.COMPOSE_PROJECT_NAME} is not running.\n       Start it:  make up\n`,
    );
  });

  test("an engine that cannot be reached at DOCKER_HOST is an error with hints", async () => {
    expect(await errorOf(["sh", "scripts/engine"], { DOCKER_HOST: "unix:///none.sock" })).toBe(
      "error: cannot connect to the Docker engine at DOCKER_HOST=unix:///none.sock.\n" +
        "       Start it, or unset DOCKER_HOST to use the local engine.\n",
    );
  });

  const asRoot = test.skipIf(process.getuid?.() !== 0);

  asRoot("a user without access to the Docker socket is shown how to get it", async () => {
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const stderr = await errorOf([...nobody, "sh", `${copyScripts()}/scripts/engine`], { HOME: "/nonexistent" });
    expect(stderr).toContain("error: user nobody has no permission to use the Docker socket.\n");
    expect(stderr).toContain("sudo usermod -aG docker nobody");
  });

  asRoot("without a network, missing base images are an error that names the failed download", async () => {
    const env = { BUN_IMAGE: "", RUNTIME_IMAGE: "", npm_config_cache: join(folder, "npm") };
    const stderr = await errorOf(["unshare", "--net", "sh", `${copyScripts()}/scripts/bases`], env);
    expect(stderr).toMatch(/^error: .+ could not download.+$/m);
    expect(stderr).toContain("reachable?");
  });
});

/** Copies the scripts, without the rest of the repository, to a folder that every user can read. */
function copyScripts(): string {
  const copy = join(folder, "copy");
  mkdirSync(copy, { recursive: true });
  cpSync("scripts", join(copy, "scripts"), { recursive: true });
  // Base images and a version of Bun that cannot be on this machine already.
  mkdirSync(join(copy, "api-backend"), { recursive: true });
  for (const file of ["docker-compose.yaml", "api-backend/Dockerfile"])
    writeFileSync(
      join(copy, file),
      readFileSync(file, "utf8").replaceAll(/docker\.io\/oven|gcr\.io/g, "registry.invalid"),
    );
  writeFileSync(join(copy, "package.json"), '  "packageManager": "bun@0.0.0",\n');
  chmodSync(folder, 0o755);
  return copy;
}
