// `make push` to registries that ask for a login: it asks them before it builds anything. Here the build has no base
// image, so that with a login it ends there.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { SERVICES } from "../lab/services.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { pathWithTools } from "../testing/publishing-tools.ts";
import { startReadOnlyRegistry, startRegistry, startTlsRegistry } from "../testing/registry.ts";
import { createTestStack, TEST_NAME } from "../testing/stack.ts";

const LOGIN = { username: "alice", password: "correct horse" };
const stack = await createTestStack();

const folder = mkdtempSync(join(tmpdir(), "tpdocker-login-"));
const bin = join(folder, "bin");
mkdirSync(bin);

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

const key = join(folder, "test.key");
const makeKey = ["cosign", "generate-key-pair", "--output-key-prefix", join(folder, "test")];
await runOrThrow(makeKey, { PATH: await pathWithTools(), COSIGN_PASSWORD: "" });

const env: Environment = {
  ...stack.env,
  // Nothing is signed.
  COSIGN_KEY: key,
  PATH: `${bin}:${process.env.PATH}`,
  // sudo sets it, and make push mentions it.
  SUDO_USER: undefined,
};

/** A new folder for the Docker client, with that config.json, or with none. */
function configure(config?: object): string {
  const path = mkdtempSync(join(folder, "config-"));
  if (config) writeFileSync(join(path, "config.json"), JSON.stringify(config));
  return path;
}

/** A name that has no image in any registry. */
const NO_BASE = "none/base:1";

const push = (LAB_REGISTRY: string, DOCKER_CONFIG: string, extra: Environment = {}) =>
  run(["sh", "scripts/publish"], {
    env: { ...env, LAB_REGISTRY, DOCKER_CONFIG, BUN_IMAGE: `${LAB_REGISTRY}/${NO_BASE}`, ...extra },
  });

type Outcome = Awaited<ReturnType<typeof push>>;
const asked = ({ stderr }: Outcome) => [...stderr.matchAll(/^==> asking (\S+) whether/gm)].map(([, name]) => name);

/** The end of what `make push` prints when a registry refuses. */
const refusal = (registry: string, words: string, ...hints: string[]) =>
  [
    `error: ${registry} does not take images for ${registry}/${TEST_NAME}/api-backend: ${words}`,
    ...hints,
    `Log in, with a password or token that may write:  docker login ${registry} --username ${TEST_NAME}`,
    "Use another account:  make push HUB_USER=<account>",
  ]
    .join("\n       ")
    .concat("\n");

async function expectRefusal(outcome: Promise<Outcome>, expected: string) {
  const { code, stdout, stderr } = await outcome;
  expect(stderr.slice(stderr.indexOf("error: "))).toBe(expected);
  // The first repository is refused: the second one is not asked any more, and nothing is built.
  expect(stderr.match(/^==> .*/gm)?.slice(-1)[0]).toContain(`/api-backend whether it takes images`);
  expect(stdout).toBe("");
  expect(code).toBe(1);
}

/** It was asked for both services, and the next step, which is the build, has begun. */
async function expectAccepted(outcome: Promise<Outcome>, registry: string) {
  const result = await outcome;
  expect(asked(result)).toEqual(SERVICES.map((name) => `${registry}/${TEST_NAME}/${name}`));
  expect(result.stderr).toEndWith(`error: the base image ${registry}/${NO_BASE} is in no registry.\n`);
  expect(result).toMatchObject({ code: 1, stdout: "" });
}

afterAll(() => rmSync(folder, { recursive: true }));

describeWithEngine("a registry that asks for a login", () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let host: string;

  beforeAll(async () => {
    registry = await startRegistry(LOGIN);
    host = registry.address;
  });
  afterAll(() => registry.stop());

  /** The digests of what a repository has. */
  const blobsOf = (group: string, name: string) =>
    readdirSync(join(registry.folder, "docker/registry/v2/repositories", group, TEST_NAME, name, "_layers/sha256"));

  test.each(["auths", "credsStore", "credHelpers"] as const)("takes images with a login in %s", async (place) => {
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

    const group = `${host}/${place.toLowerCase()}`;
    await expectAccepted(push(group, folder), group);

    // What was written is in the registry's files.
    for (const name of SERVICES) expect(blobsOf(place.toLowerCase(), name)).toHaveLength(1);
  });

  test("is asked to take something new each time", async () => {
    const config = configure({ auths: { [host]: { auth: btoa(`${LOGIN.username}:${LOGIN.password}`) } } });
    for (const count of [1, 2]) {
      await expectAccepted(push(`${host}/twice`, config), `${host}/twice`);
      expect(blobsOf("twice", "api-frontend")).toHaveLength(count);
    }
  });

  test("without a login, says the client's words and how to log in", async () => {
    await expectRefusal(push(host, configure()), refusal(host, "basic credential not found"));
  });

  test("with a wrong password, says the registry's words and how to log in; under sudo, whose login it was", async () => {
    const config = configure({ auths: { [host]: { auth: btoa(`${LOGIN.username}:wrong`) } } });
    const whose = "       With sudo, root's login is used, not that of bob.\n";
    const expected = refusal(host, "response status code 401: Unauthorized") + whose;
    await expectRefusal(push(host, config, { SUDO_USER: "bob" }), expected);
  });

  test.each(["credsStore", "credHelpers"])("names a program in %s that is not installed", async (place) => {
    const config = configure({ [place]: place === "credsStore" ? "missing" : { [host]: "missing" } });
    const hint = `${config}/config.json names a program that keeps logins, docker-credential-missing, and it is not installed.`;
    const words = 'failed to resolve credential: exec: "docker-credential-missing": executable file not found in $PATH';
    await expectRefusal(push(host, config), refusal(host, words, hint));
  });
});

describeWithEngine("a registry with a certificate of its own", () => {
  // Only root writes to the folder of the engine's certificates.
  test.skipIf(process.getuid?.() !== 0)("is trusted if Docker trusts it", async () => {
    const { address, certificate, stop } = await startTlsRegistry(LOGIN);
    const trusted = join("/etc/docker/certs.d", address);
    const config = configure({ auths: { [address]: { auth: btoa(`${LOGIN.username}:${LOGIN.password}`) } } });
    try {
      const { code, stderr } = await push(address, config);
      expect([code, stderr]).toEqual([1, expect.stringContaining(`Is ${address} reachable?`)]);
      mkdirSync(trusted, { recursive: true });
      copyFileSync(certificate, join(trusted, "ca.crt"));
      await expectAccepted(push(address, config), address);
      await expectRefusal(push(address, configure()), refusal(address, "basic credential not found"));
    } finally {
      rmSync(trusted, { recursive: true, force: true });
      await stop();
    }
  });
});

describeWithEngine("a login with too few rights", () => {
  test("as of a token that may only pull: the registry's words are shown", async () => {
    const registry = await startReadOnlyRegistry();
    try {
      const action = (name: string) => `map[Action:${name} Class: Name:${TEST_NAME}/api-backend Type:repository]`;
      const words = `unauthorized: authentication required: [${action("pull")} ${action("push")}]`;
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
      "response status code 401: Unauthorized",
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
  const calls = join(folder, "calls");
  const front = join(folder, "front");

  /** Not the real one is asked: this ORAS only writes down what it would do, and says what it is told to. */
  function pushToHub(config: string, words: string) {
    const script = `#!/bin/sh\necho "$*" >>'${calls}'\n[ "$*" != "\${*#blob push}" ] || words='not found'\n`;
    mkdirSync(front, { recursive: true });
    writeFileSync(calls, "");
    writeFileSync(join(front, "oras"), `${script}echo "Error: \${words:=${words}}" >&2\n[ -z "$words" ]\n`, {
      mode: 0o755,
    });
    const images = { BUN_IMAGE: NO_BASE, RUNTIME_IMAGE: NO_BASE };
    return push("", config, { ...images, PATH: `${front}:${env.PATH}` });
  }

  const written = () =>
    readFileSync(calls, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("blob push"));
  const asking = (...names: readonly string[]) =>
    names.map((name) => expect.stringMatching(new RegExp(`^blob push docker\\.io/${TEST_NAME}/${name} /\\S+$`)));

  test("is asked, whatever config.json says", async () => {
    const { stderr } = await pushToHub(configure({ credsStore: "test" }), "");
    expect(stderr).toEndWith(`error: the base image docker.io/${NO_BASE} is in no registry.\n`);
    expect(written()).toEqual(asking(...SERVICES));
  });

  test("needs a login without a host; a program that keeps it and is missing is named", async () => {
    const config = configure({ credHelpers: { "https://index.docker.io/v1/": "missing" } });
    const { code, stderr } = await pushToHub(config, "unauthorized: incorrect username or password");
    expect(stderr.slice(stderr.indexOf("error: "))).toBe(
      [
        `error: docker.io does not take images for docker.io/${TEST_NAME}/api-backend: unauthorized: incorrect username or password`,
        `${config}/config.json names a program that keeps logins, docker-credential-missing, and it is not installed.`,
        `Log in, with a password or token that may write:  docker login --username ${TEST_NAME}`,
        "Use another account:  make push HUB_USER=<account>\n",
      ].join("\n       "),
    );
    expect(code).toBe(1);
    expect(written()).toEqual(asking("api-backend"));
  });
});
