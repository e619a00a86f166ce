// Settings are read by Compose alone: whatever .env, the environment and other Compose files say, and by its rules.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { SERVICES } from "../lab/services.ts";
import { copyCheckout } from "../testing/checkout.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { compose1, compose2, createTestStack, leftovers, TEST_NAME } from "../testing/stack.ts";

let checkout: Awaited<ReturnType<typeof copyCheckout>>;
beforeAll(async () => {
  checkout = await copyCheckout();
});
afterAll(() => checkout.remove());

const path = (name: string) => join(checkout.folder, name);
const OVERRIDE = "docker-compose.override.yaml";
afterEach(() => {
  for (const name of [".env", OVERRIDE, "other.yaml"]) rmSync(path(name), { force: true });
});

/** No variable of these settings is in the environment. */
const UNSET: Environment = {
  ...Object.fromEntries(
    ["BACKEND_PORT", "FRONTEND_PORT", "LAB_BIND", "LAB_REGISTRY", "LAB_LOG_LEVEL", "HUB_USER", "COMPOSE_FILE"].map(
      (name) => [name, undefined],
    ),
  ),
  COMPOSE_PROJECT_NAME: undefined,
};

/** Runs a script of the copy. */
const script = (command: string[], env: Environment = {}) =>
  run(["sh", ...command], { cwd: checkout.folder, env: { ...UNSET, ...env } });

async function settings(env: Environment = {}): Promise<Record<string, string>> {
  const { code, stdout, stderr } = await script(["scripts/config"], env);
  if (code !== 0) throw new Error(stderr);
  return Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/, 2)),
  );
}

describe("ports in .env", async () => {
  const PORTS: [string, string][] = [
    ["with spaces, and exported", "BACKEND_PORT = 9001\nexport FRONTEND_PORT=9000\n"],
    ["in quotes", "BACKEND_PORT='9001'\nFRONTEND_PORT=\"9000\"\n"],
    ["with Windows line endings, and without a newline at the end", "BACKEND_PORT=9001\r\nFRONTEND_PORT=9000"],
    [
      "with a comment behind it, and the last of two",
      "FRONTEND_PORT=1\nFRONTEND_PORT=9000 # mine\nBACKEND_PORT=9001\n",
    ],
    ["by reference", `BASE=900\nBACKEND_PORT=\${BASE}1\nFRONTEND_PORT=\${BASE}0\n`],
    ["behind a BOM", "\ufeffBACKEND_PORT=9001\nFRONTEND_PORT=9000\n"],
  ];
  const IN_YAML: [string, string] = [
    "in YAML's style, which Compose 2 accepts",
    "BACKEND_PORT: 9001\nFRONTEND_PORT: 9000\n",
  ];

  describe.each([
    ["1", await compose1(), PORTS],
    ["2", await compose2(), [...PORTS, IN_YAML]],
  ])("are read with Compose %s", (_, generation, files) => {
    test.skipIf(generation === undefined).each(files)("%s", async (_, text) => {
      writeFileSync(path(".env"), text);
      expect(await settings(generation)).toMatchObject({
        "api-backend.port.8001": "9001",
        "api-frontend.port.8000": "9000",
      });
    });
  });

  test("unless the environment has another", async () => {
    writeFileSync(path(".env"), "FRONTEND_PORT=9000\n");
    expect(await settings({ FRONTEND_PORT: "9002" })).toMatchObject({ "api-frontend.port.8000": "9002" });
  });

  test.each([
    ["UTF-16", "\xff\xfeF\0"],
    ["Latin-1, read by Compose 1", "# caf\xe9\n"],
  ])("or Compose's own message is shown, if it cannot read the file: %s", async (name, text) => {
    const generation = name === "UTF-16" ? {} : await compose1();
    if (generation === undefined) return;
    writeFileSync(path(".env"), Buffer.from(text, "latin1"));
    const { code, stderr } = await script(["scripts/config"], generation);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Compose cannot read the variables: .+\n {7}Check the file .env.+\n$/);
  });
});

describe.each([
  ["1", await compose1()],
  ["2", await compose2()],
])("the project's name in .env, with Compose %s", (which, generation) => {
  const project = async (line: string) => {
    writeFileSync(path(".env"), line);
    return script(["scripts/config"], generation);
  };

  test.skipIf(generation === undefined).each([
    ["COMPOSE_PROJECT_NAME=mine\n", "mine"],
    ["export COMPOSE_PROJECT_NAME = 'mine'\r\n", "mine"],
    ["\ufeffCOMPOSE_PROJECT_NAME=mine\n", "mine"],
    ["# COMPOSE_PROJECT_NAME=mine\n", "tpdocker"],
    ["COMPOSE_PROJECT_NAME=\n", "tpdocker"],
    ['COMPOSE_PROJECT_NAME=""\n', "tpdocker"],
  ])("%j is %s", async (line, name) => {
    const { stdout, stderr } = await project(line);
    expect(stderr).toBe("");
    expect(stdout).toStartWith(`project=${name}\n`);
  });

  test.skipIf(generation === undefined)("a name that Compose does not allow is refused", async () => {
    const { code, stderr } = await project("COMPOSE_PROJECT_NAME=Mine\n");
    expect(code).toBe(1);
    expect(stderr).toContain("Mine");
    if (which === "1") expect(stderr).toStartWith("error: COMPOSE_PROJECT_NAME=Mine: expected lower-case letters");
  });

  // Compose 2 accepts YAML's style, Compose 1 reads no value.
  test.skipIf(generation === undefined)("COMPOSE_PROJECT_NAME: mine", async () => {
    const { stdout, stderr } = await project("COMPOSE_PROJECT_NAME: mine\n");
    if (which === "2") return expect(stdout).toStartWith("project=mine\n");
    expect(stderr).toBe(
      "error: COMPOSE_PROJECT_NAME has no value.\n" +
        "       In .env, write COMPOSE_PROJECT_NAME=<name> or remove the line.\n",
    );
  });
});

describe("a wrong value is named, before anything is built", () => {
  test.each([
    ["BACKEND_PORT", "0"],
    ["BACKEND_PORT", "65536"],
    ["FRONTEND_PORT", "80x"],
    ["FRONTEND_PORT", "-1"],
    ["LAB_BIND", "localhost"],
    ["LAB_BIND", "::1"],
    ["LAB_REGISTRY", "https://127.0.0.1:5000"],
    ["LAB_REGISTRY", "127.0.0.1:5000/"],
    ["LAB_REGISTRY", "registry.example.org/Team"],
    ["HUB_USER", "Alice"],
    ["HUB_USER", "al ice"],
    ["HUB_USER", "alice@example.org"],
  ])("%s=%s", async (name, value) => {
    writeFileSync(path(".env"), `${name}=${value}\n`);
    const { code, stdout, stderr } = await script(["scripts/publish", "--tag"]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(`error: ${name}=${value}: expected `);
  });

  test.each(["docker.io", "127.0.0.1:5000", "registry.example.org/team/lab"])(
    "LAB_REGISTRY=%s is right",
    async (host) =>
      expect((await settings({ LAB_REGISTRY: host }))["api-backend.image"]).toBe(`${host}/tpdocker/api-backend:latest`),
  );
});

test("variables that other tools export change nothing", async () => {
  const foreign = { LOG_LEVEL: "WARNING", VERSION: "9", SOURCE: "x", REGISTRY: "ghcr.io", REVISION: "x", BIND: "x" };
  const more = { INSTALL: "/usr/bin/install -c", TEST_NAME: "x", CHAOS: "1", COMPOSE_PROFILES: "x", CDPATH: "/:/tmp" };
  const config = async (env: Environment) => (await script(["scripts/compose", "config"], env)).stdout;
  expect(await config({ ...foreign, ...more })).toBe(await config({}));
});

test.each(["REGISTRY", "LOG_LEVEL", "BIND"])("make up %s=x says how the variable is called here", async (name) => {
  const { code, stderr } = await run(["make", "up", `${name}=x`]);
  expect(code).toBe(2);
  expect(stderr).toContain(`${name}: write LAB_${name}`);
});

test(".env.example has every variable of the Compose file and of the Swarm's, with its default", () => {
  const files = ["docker-compose.yaml", "deploy/swarm.yaml"].map((name) => readFileSync(name, "utf8")).join("");
  const defaults = new Map([...files.matchAll(/\$\{(\w+):-([^}]*)\}/g)].map(([, name = "", value]) => [name, value]));
  // make sets these three. Of the last two, one is Compose's own, the other chooses a file.
  for (const name of ["LAB_VERSION", "LAB_REVISION", "LAB_SOURCE"]) defaults.delete(name);
  defaults.set("COMPOSE_PROJECT_NAME", "tpdocker");
  defaults.set("LAB_MESH", "no");
  const example = readFileSync(".env.example", "utf8");
  const listed = [...example.matchAll(/^# (\w+)=(.*)$/gm)].map(([, name = "", value]) => [name, value] as const);
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(defaults));
  const operations = readFileSync("docs/operations.md", "utf8");
  for (const name of defaults.keys()) expect(operations).toContain(`\`${name}\``);
});

describe("what Compose merges in counts", () => {
  test("an override of a port and of an image's name", async () => {
    const yaml = "services: { api-backend: { image: example.org/x/y:1, ports: ['127.0.0.1:9005:8001'] } }\n";
    writeFileSync(path(OVERRIDE), yaml);
    expect(await settings()).toMatchObject({
      "api-backend.image": "example.org/x/y:1",
      "api-frontend.image": "docker.io/tpdocker/api-frontend:latest",
    });
  });

  test("a second published port, which must be free as well", async () => {
    const port = await freePort();
    const server = Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
    writeFileSync(path(OVERRIDE), `services: { api-backend: { ports: ['127.0.0.1:${port}:8001'] } }\n`);
    try {
      const { code, stderr } = await script(["scripts/free-ports"], { BACKEND_PORT: String(await freePort()) });
      expect([code, stderr.split("\n")[0]]).toEqual([
        1,
        `error: port ${port} on this machine, needed by api-backend, is already in use.`,
      ]);
    } finally {
      server.stop();
    }
  });

  test("COMPOSE_FILE with a second file", async () => {
    writeFileSync(path("other.yaml"), "services: { api-frontend: { image: example.org/x/z:2 } }\n");
    const values = await settings({ COMPOSE_FILE: "docker-compose.yaml:other.yaml" });
    expect(values["api-frontend.image"]).toBe("example.org/x/z:2");
  });

  test.each(["up", "publish", "manage"])("COMPOSE_FILE of another project: %s refuses", async (name) => {
    writeFileSync(path("other.yaml"), "services: { db: { image: example.org/db } }\n");
    const { code, stderr } = await script([`scripts/${name}`, "down"], { COMPOSE_FILE: "other.yaml" });
    expect(code).toBe(1);
    expect(stderr).toContain("error: the Compose configuration has no service api-backend with an image.");
    expect(stderr).toContain("other.yaml");
  });
});

describeWithEngine("with one more service in an override file", () => {
  afterEach(async () => expect(await leftovers()).toBe(""));

  test("make up waits for the two only, make tag tags the two only, make down removes all three", async () => {
    const stack = await createTestStack();
    const backend = stack.image("api-backend");
    // It never becomes healthy, and publishes nothing.
    const more = {
      image: backend,
      pull_policy: "never",
      command: ["none"],
      labels: { more: "yes" },
      networks: ["lab"],
    };
    writeFileSync(path(OVERRIDE), JSON.stringify({ services: { more } }));
    const env = { ...stack.env, BUN_IMAGE: undefined, RUNTIME_IMAGE: undefined };
    const copy = (...command: string[]) => runOrThrow(["env", "--chdir", checkout.folder, "make", ...command], env);
    if (existsSync(".env")) cpSync(".env", path(".env"));
    try {
      await copy("up");
      const filters = ["--filter", `label=com.docker.compose.project=${TEST_NAME}`, "--filter", "label=more=yes"];
      expect(await runOrThrow(["docker", "ps", "--all", "--quiet", ...filters])).toMatch(/^\w+$/);
      const tagged = await copy("tag");
      expect(tagged.split("\n").map((name) => name.replace(/^.*\/|:.*$/g, ""))).toEqual(
        SERVICES.flatMap((name) => [name, name]),
      );
    } finally {
      await copy("down");
      await stack.remove();
    }
  }, 180_000);
});
