// `make push` to registries that ask for a login: it works with one, and without one the registry's own words are shown.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { startReadOnlyRegistry, startRegistry } from "../testing/registry.ts";
import { SERVICES } from "../testing/services.ts";
import { compose2, createTestStack, removeImages, TEST_NAME } from "../testing/stack.ts";

const LOGIN = { username: "alice", password: "correct horse" };
const stack = await createTestStack();
const { version } = await Bun.file("package.json").json();

const folder = mkdtempSync(join(tmpdir(), "tpdocker-login-"));
const bin = join(folder, "bin");
mkdirSync(bin);

// Images of a few bytes, which take no time to build and to push.
const service = (name: string) => ({
  build: { context: ".", args: { HUB_USER: `\${HUB_USER}` } },
  image: `\${LAB_REGISTRY:-docker.io}/\${HUB_USER}/${name}:latest`,
});
const services = Object.fromEntries(SERVICES.map((name) => [name, service(name)]));
writeFileSync(join(folder, "compose.yaml"), JSON.stringify({ services }));
writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");

// Keeps one login in a file, by the protocol of https://docs.docker.com/go/credential-store/.
const helper = `#!/bin/sh
login='${join(folder, "login.json")}'
case $1 in
store) cat >"$login" ;;
list) echo "{}" ;;
erase) rm "$login" ;;
get) if grep -qF "$(cat)" "$login"; then cat "$login"; else echo "credentials not found in native keychain"; exit 1; fi ;;
esac
`;
writeFileSync(join(bin, "docker-credential-test"), helper, { mode: 0o755 });

const env: Environment = {
  ...stack.env,
  COMPOSE_FILE: join(folder, "compose.yaml"),
  PATH: `${bin}:${process.env.PATH}`,
  // sudo sets it, and make push mentions it.
  SUDO_USER: undefined,
};

// Compose 2 where it can be had: it is faster.
let plugins = "";

/** A new folder for the Docker client, with that config.json, or with none. */
function configure(config?: object): string {
  const path = mkdtempSync(join(folder, "config-"));
  if (config) writeFileSync(join(path, "config.json"), JSON.stringify(config));
  if (existsSync(plugins)) symlinkSync(plugins, join(path, "cli-plugins"));
  return path;
}

const push = (LAB_REGISTRY: string, DOCKER_CONFIG: string, extra: Environment = {}) =>
  run(["sh", "scripts/publish"], { env: { ...env, LAB_REGISTRY, DOCKER_CONFIG, ...extra } });

/** The end of what `make push` prints when a registry refuses. */
const refusal = (registry: string, words: string, ...hints: string[]) =>
  [
    `error: ${registry}/${TEST_NAME}/api-backend:latest could not be pushed: ${words}`,
    ...hints,
    `Log in, with a password or token that may write:  docker login ${registry.replace(/\/.*/, "")} --username ${TEST_NAME}`,
    "Use another account:  make push HUB_USER=<account>",
  ]
    .join("\n       ")
    .concat("\n");

async function expectRefusal(outcome: Promise<{ code: number; stdout: string; stderr: string }>, expected: string) {
  const { code, stdout, stderr } = await outcome;
  expect(stderr.slice(stderr.indexOf("error: "))).toBe(expected);
  expect(stdout).toBe("");
  expect(code).toBe(1);
}

afterAll(() => rmSync(folder, { recursive: true }));

describeWithEngine("a registry that asks for a login", () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let host: string;

  beforeAll(async () => {
    registry = await startRegistry(LOGIN);
    host = registry.address;
    plugins = join(
      (await compose2())?.DOCKER_CONFIG ?? process.env.DOCKER_CONFIG ?? join(homedir(), ".docker"),
      "cli-plugins",
    );
  });
  afterAll(async () => {
    await registry.stop();
    await removeImages();
  });

  test.each(["auths", "credsStore", "credHelpers"] as const)("takes the images with a login in %s", async (place) => {
    const configs = { auths: {}, credsStore: { credsStore: "test" }, credHelpers: { credHelpers: { [host]: "test" } } };
    const config = configs[place];
    let folder = configure(config);
    const login = ["docker", "login", "--username", LOGIN.username, "--password", LOGIN.password, host];
    await runOrThrow(login, { ...env, DOCKER_CONFIG: folder });
    if (place !== "auths") {
      expect(readFileSync(join(folder, "config.json"), "utf8")).not.toContain('"auth"');
      // Docker writes an empty entry to auths, but does without one.
      folder = configure(config);
    }

    expect(await push(`${host}/${place.toLowerCase()}`, folder)).toMatchObject({ code: 0, stdout: "" });

    const Authorization = `Basic ${btoa(`${LOGIN.username}:${LOGIN.password}`)}`;
    for (const name of SERVICES) {
      const repository = `${place.toLowerCase()}/${TEST_NAME}/${name}`;
      const url = `http://${host}/v2/${repository}/tags/list`;
      expect(await (await fetch(url, { headers: { Authorization } })).json()).toEqual({
        name: repository,
        tags: expect.arrayContaining(["latest", version]),
      });
    }
  });

  test("without a login, says the client's words and how to log in", async () => {
    await expectRefusal(push(host, configure()), refusal(host, "no basic auth credentials"));
  });

  test("with a wrong password, says the registry's words and how to log in; under sudo, whose login it was", async () => {
    const config = configure({ auths: { [host]: { auth: btoa(`${LOGIN.username}:wrong`) } } });
    const whose = "       With sudo, root's login is used, not that of bob.\n";
    const expected = refusal(host, "unauthorized: authentication required") + whose;
    await expectRefusal(push(host, config, { SUDO_USER: "bob" }), expected);
  });

  test.each(["credsStore", "credHelpers"])("names a program in %s that is not installed", async (place) => {
    const config = configure({ [place]: place === "credsStore" ? "missing" : { [host]: "missing" } });
    const hint = `${config}/config.json names a program that keeps logins, docker-credential-missing, and it is not installed.`;
    await expectRefusal(push(host, config), refusal(host, "no basic auth credentials", hint));
  });
});

describeWithEngine("a login with too few rights", () => {
  afterAll(removeImages);

  test("as of a token that may only pull: the registry's words are shown", async () => {
    const registry = await startReadOnlyRegistry();
    try {
      const words = "denied: requested access to the resource is denied";
      await expectRefusal(push(registry.address, configure()), refusal(registry.address, words));
    } finally {
      await registry.stop();
    }
  });

  // What the registries' own programs answer.
  test.each([
    [
      "Docker Hub",
      { at: "token", status: 401, body: { details: "access token has insufficient scopes" } },
      "unauthorized: access token has insufficient scopes",
    ],
    [
      "GitHub",
      {
        at: "push",
        status: 403,
        body: error("DENIED", "permission_denied: The token provided does not match expected scopes."),
      },
      "denied: permission_denied: The token provided does not match expected scopes.",
    ],
    ["GitLab", { at: "token", status: 403, body: error("DENIED", "access forbidden") }, "denied: access forbidden"],
    [
      // The name of a repository must not be taken for the cause.
      "Harbor",
      {
        at: "push",
        status: 401,
        body: error("UNAUTHORIZED", "unauthorized to access repository: proxy/api-backend, action: push"),
      },
      "unauthorized: unauthorized to access repository: proxy/api-backend, action: push",
    ],
  ] as const)("as %s says it", async (_, answer, words) => {
    const server = startRefusingRegistry(answer);
    const registry = `127.0.0.1:${server.port}`;
    try {
      await expectRefusal(push(registry, configure()), refusal(registry, words));
    } finally {
      await server.stop(true);
    }
  });
});

function error(code: string, message: string) {
  return { errors: [{ code, message }] };
}

/** A registry that gives one answer to everybody who asks for a token, or who pushes. */
function startRefusingRegistry({ at, status, body }: { at: string; status: number; body: object }) {
  return Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch({ method, url, headers }, { url: { origin } }) {
      if (new URL(url).pathname === "/token")
        return at === "token" ? Response.json(body, { status }) : Response.json({ token: "any" });
      if (!headers.has("Authorization")) {
        const challenge = `Bearer realm="${origin}/token",service="test"`;
        return new Response(null, { status: 401, headers: { "WWW-Authenticate": challenge } });
      }
      return method === "POST" ? Response.json(body, { status }) : new Response(null, { status: 404 });
    },
  });
}

describeWithEngine("Docker Hub", () => {
  afterAll(removeImages);

  // Not the real one: this docker only writes down what it would push.
  test("is asked, whatever config.json says", async () => {
    const pushes = join(folder, "pushes");
    const front = join(folder, "front");
    mkdirSync(front);
    const script = `#!/bin/sh\nif [ "$1" = push ]; then echo "$2" >>'${pushes}'; else exec '${Bun.which("docker")}' "$@"; fi\n`;
    writeFileSync(join(front, "docker"), script, { mode: 0o755 });
    const config = configure({ credsStore: "test" });
    expect(await push("", config, { PATH: `${front}:${env.PATH}` })).toMatchObject({ code: 0, stdout: "" });
    const images = SERVICES.flatMap((name) => ["latest", version].map((tag) => `${TEST_NAME}/${name}:${tag}`));
    expect(readFileSync(pushes, "utf8").trim().split("\n")).toEqual(images.map((image) => `docker.io/${image}`));
  });
});
