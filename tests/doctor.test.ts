// make doctor finds what keeps make up from working, on machines that are really in that state; it changes nothing, and
// reveals nothing.

import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { type Environment, type Options, run, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { PORT, type ServiceName } from "../lab/services.ts";
import { BUN } from "../testing/base-images.ts";
import { copyCheckout } from "../testing/checkout.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { smallPath } from "../testing/small-path.ts";
import { createTestStack, leftovers, TEST_NAME } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

type Status = "ok" | "warning" | "wrong" | "unknown";
interface Check {
  readonly check: string;
  readonly status: Status;
  readonly found: string;
  readonly todo: string;
}

const folder = mkdtempSync(join(tmpdir(), "tpdocker doctor "));
chmodSync(folder, 0o755);
const copies: { remove(): void }[] = [];
afterAll(() => {
  for (const copy of copies) copy.remove();
  rmSync(folder, { recursive: true });
});

async function copy(name?: string): Promise<string> {
  const checkout = await copyCheckout(name);
  copies.push(checkout);
  return checkout.folder;
}

/** No question leaves this machine, and none gets an answer: nothing listens on port 9. */
const NOWHERE = "http://127.0.0.1:9";
const QUIET: Environment = {
  ...Object.fromEntries(["HTTPS_PROXY", "https_proxy", "http_proxy"].map((name) => [name, NOWHERE])),
  ...Object.fromEntries(["HTTP_PROXY", "ALL_PROXY", "all_proxy"].map((name) => [name, undefined])),
  npm_config_registry: "https://registry.invalid/",
  HOME: folder,
  DOCKER_CONFIG: undefined,
  COMPOSE_FILE: undefined,
  NO_COLOR: undefined,
  JSON: undefined,
};
const stack = await createTestStack();
const environment = (env: Environment = {}): Environment => ({ ...QUIET, ...stack.env, ...env });
/** For checkouts with variables of their own. */
const UNSET: Environment = Object.fromEntries(Object.keys(stack.env).map((name) => [name, undefined]));

/** What the doctor finds, as JSON, and its exit code. */
async function examine(env: Environment = {}, options: Options = {}, command = ["sh", "scripts/doctor"]) {
  const { code, stdout, stderr } = await run(command, { ...options, env: environment({ JSON: "1", ...env }) });
  if (!stdout.startsWith("{")) throw new Error(`${code}: ${stdout}${stderr}`);
  const { works, checks } = JSON.parse(stdout) as { works: boolean; checks: Check[] };
  expect(code).toBe(works ? 0 : 1);
  expect(checks.some(({ status }) => status === "wrong")).toBe(!works);
  const of = (name: string, status?: Status) =>
    checks
      .filter(({ check }) => check === name)
      .filter((check) => status === undefined || check.status === status)
      .map(({ status, found, todo }) => `${status}: ${found}${todo && `: ${todo}`}`)
      .join("\n");
  return { works, checks, of, stdout, stderr };
}

/** All files below a folder, with their contents. */
const contents = (parent: string) =>
  readdirSync(parent, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => [path, Bun.hash(readFileSync(path))]);

const asRoot = test.skipIf(process.getuid?.() !== 0);

describe("without an engine", () => {
  test("what is not known is said, and what to do is said for the rest", async () => {
    const { of, works } = await examine({ DOCKER_HOST: "unix:///none.sock" });
    expect(works).toBe(false);
    expect(of("engine")).toBe(
      "wrong: cannot connect to the Docker engine at DOCKER_HOST=unix:///none.sock: " +
        "Start it, or unset DOCKER_HOST to use the local engine",
    );
    for (const name of ["memory", "disk", "bases"]) expect(of(name)).toStartWith("unknown: ");
    expect(of("ports")).toBe(`ok: ports ${stack.ports["api-frontend"]} and ${stack.ports["api-backend"]} are free`);
  });

  test("neither Docker, nor git, nor curl, nor npm, nor Bun is needed", async () => {
    const PATH = await smallPath(mkdtempSync(join(folder, "bare-")), "busybox", []);
    rmSync(join(PATH, "wget"));
    const { of, works } = await examine({ PATH, INSTALL: "no" }, { cwd: await copy() }, [
      join(PATH, "sh"),
      "scripts/doctor",
    ]);
    expect(works).toBe(false);
    expect(of("engine")).toMatch(/^wrong: there is no Docker engine: install and start one: .+$/);
    expect(of("compose")).toMatch(/^wrong: Docker Compose is not installed: Install Compose 2: .+$/);
    expect(of("programs", "warning")).toMatch(/git is missing.*\n.*neither Bun [0-9.]+ nor npm is here/);
    expect(of("registry")).toStartWith("unknown: ");
    expect(of("ports")).toBe(`ok: ports ${stack.ports["api-frontend"]} and ${stack.ports["api-backend"]} are free`);
  });

  const installs = asRoot.skipIf(Bun.which("apt-get") === null);

  installs("where make up installs an engine, this machine's memory and disk will be its", async () => {
    const PATH = await smallPath(mkdtempSync(join(folder, "new-")), "busybox", ["apt-get"]);
    const { of } = await examine({ PATH, INSTALL: undefined }, {}, [join(PATH, "sh"), "scripts/doctor"]);
    expect(of("engine")).toBe(
      "warning: there is no Docker engine: make up installs this distribution's, and starts it",
    );
    expect(of("memory")).toBe(`ok: the engine, once there, has ${Math.floor(totalmem() / 1024 ** 2)} MB of memory`);
    expect(of("disk")).toMatch(/^ok: \d+ MB of disk are free in \/var\/lib$/);
  });

  test("an engine that does not answer costs five seconds, and Ctrl-C ends it at once", async () => {
    const server: Server = createServer(() => {});
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const DOCKER_HOST = `tcp://127.0.0.1:${port}`;
    try {
      const began = Date.now();
      const { of } = await examine({ DOCKER_HOST });
      expect(of("engine")).toBe(
        `wrong: the Docker engine at DOCKER_HOST=${DOCKER_HOST} does not answer within 5 s: ` +
          "restart it, or unset DOCKER_HOST to use the local one",
      );
      expect(Date.now() - began).toBeLessThan(15_000);

      const child = Bun.spawn(["sh", "scripts/doctor"], {
        env: { ...process.env, ...environment({ DOCKER_HOST }) },
        detached: true,
        stdout: "pipe",
        stderr: "ignore",
      });
      // The line before the one about the engine.
      await child.stdout.getReader().read();
      await Bun.sleep(500);
      const pressed = Date.now();
      process.kill(-child.pid, "SIGINT");
      expect(await child.exited).toBe(130);
      expect(Date.now() - pressed).toBeLessThan(2000);
      const ended = () => {
        try {
          return !process.kill(-child.pid, 0);
        } catch {
          return true;
        }
      };
      // Less than the limit of time of what it waited for.
      await waitUntil("no process of its group is left", ended, 3000);
    } finally {
      server.close();
    }
  }, 60_000);
});

describeWithEngine("with an engine", () => {
  test("a machine on which make up works: a line each, without colours, and nothing is changed", async () => {
    const home = mkdtempSync(join(folder, "home-"));
    const cwd = await copy("a copy");
    if (existsSync(".env")) cpSync(".env", join(cwd, ".env"));
    const before = contents(cwd);
    const { code, stdout, stderr } = await run(["make", "doctor"], { cwd, env: environment({ HOME: home }) });
    const lines = stdout.trimEnd().split("\n");
    expect(lines.splice(-2)).toEqual(["", "make up should work. (! other targets, or only sometimes; – not known)"]);
    expect(lines.filter((line) => !/^[✓!–] \S/.test(line))).toEqual([]);
    expect(code).toBe(0);
    for (const found of ["Docker Engine \\d", "Docker Compose \\d", "ports \\d+ and \\d+ are free", "BUN_IMAGE is"])
      expect(stdout).toMatch(new RegExp(`^✓ ${found}`, "m"));
    expect(stderr).toBe("==> looking at this machine (a few seconds)\n");
    expect(contents(cwd)).toEqual(before);
    expect(contents(home)).toEqual([]);
  });

  test("taken ports, a foreign platform, a missing helper for logins, a wrong level", async () => {
    const servers = await Promise.all(
      Object.values(stack.ports).map(
        (port) =>
          new Promise<Server>((resolve) => {
            const server: Server = createServer().listen(port, "127.0.0.1", () => resolve(server));
          }),
      ),
    );
    const DOCKER_CONFIG = mkdtempSync(join(folder, "config-"));
    const config = { credHelpers: { "registry.example": "none-such" }, auths: { "https://index.docker.io/v1/": {} } };
    writeFileSync(join(DOCKER_CONFIG, "config.json"), JSON.stringify(config, undefined, "\t"));
    try {
      const { of } = await examine({ DOCKER_CONFIG, DOCKER_DEFAULT_PLATFORM: "linux/s390x", LAB_LOG_LEVEL: "loud" });
      for (const [name, port] of Object.entries(stack.ports))
        expect(of("ports")).toContain(`wrong: port ${port} on this machine, needed by ${name}, is already in use`);
      expect(of("processor", "wrong")).toMatch(
        /^wrong: DOCKER_DEFAULT_PLATFORM=linux\/s390x is not the engine's linux\/a/,
      );
      expect(of("login")).toContain("the program docker-credential-none-such");
      expect(of("settings")).toContain("wrong: LAB_LOG_LEVEL has a wrong value");
      expect(of("registry")).toContain("a login for it is stored");
    } finally {
      for (const server of servers) server.close();
    }
  });

  test("a checkout of which an editor has spoilt .env", async () => {
    const cwd = await copy();
    writeFileSync(
      join(cwd, ".env"),
      "FRONTEND_PRT=1\nBASE=90\nBACKEND_PORT=$" + "{BASE}x\nexport HUB_USR=alice\nCOMPOSE_PROFILES=x\n",
    );
    const { of } = await examine(UNSET, { cwd });
    expect(of("settings")).toBe(
      "warning: nothing reads FRONTEND_PRT of .env: see .env.example for the names\n" +
        "warning: nothing reads HUB_USR of .env: see .env.example for the names\n" +
        "wrong: BACKEND_PORT has a wrong value: expected a port number from 1 to 65535",
    );
    expect(of("ports")).toStartWith("unknown: ");
  });

  test("a misspelt name in .env is not among those that are right", async () => {
    const cwd = await copy();
    for (const [text, found] of [
      ["BACKNED_PORT=3\nHUB_USER=alice\n", "\nok: the variables are right; .env sets HUB_USER"],
      ["BACKNED_PORT=3\n", ""],
    ]) {
      writeFileSync(join(cwd, ".env"), String(text));
      const { of } = await examine(UNSET, { cwd });
      expect(of("settings")).toBe(
        `warning: nothing reads BACKNED_PORT of .env: see .env.example for the names${found}`,
      );
    }
  });

  test("ports of this stack, and of one from another folder", async () => {
    const publish = (name: ServiceName) => ["--publish", `127.0.0.1:${stack.ports[name]}:${PORT[name]}`];
    for (const from of [process.cwd(), "/another folder"]) {
      const labels = { project: TEST_NAME, service: "api-backend", oneoff: "False", "project.working_dir": from };
      const options = Object.entries(labels).flatMap(([name, value]) => [
        "--label",
        `com.docker.compose.${name}=${value}`,
      ]);
      const command = [
        ...options,
        ...publish("api-backend"),
        "--entrypoint",
        "bun",
        BUN,
        "--eval",
        "setTimeout(() => {}, 60_000)",
      ];
      const id = await runOrThrow(["docker", "run", "--detach", "--rm", ...command]);
      try {
        const { of } = await examine();
        const ports = `ports ${stack.ports["api-frontend"]} and ${stack.ports["api-backend"]}`;
        expect(of("ports")).toStartWith(
          from === process.cwd()
            ? `ok: ${ports} are used by this stack, which runs`
            : `warning: the stack ${TEST_NAME} runs from another folder, /another folder: make up replaces it`,
        );
      } finally {
        await run(["docker", "rm", "--force", id]);
      }
    }
    expect(await leftovers()).toBe("");
  });

  test("an engine that the client does not suit", async () => {
    const { of } = await examine({ DOCKER_API_VERSION: "1.999" });
    expect(of("engine")).toMatch(
      /^wrong: the Docker client does not suit its engine: .+1\.999.+unset DOCKER_API_VERSION$/,
    );
  });

  test("no other shell and tools than busybox's", async () => {
    const PATH = await smallPath(mkdtempSync(join(folder, "small-")), "busybox");
    const { of, stderr } = await examine({ PATH }, {}, [join(PATH, "sh"), "scripts/doctor"]);
    expect(stderr).toBe("==> looking at this machine (a few seconds)\n");
    for (const name of ["system", "engine", "ports", "memory", "disk", "folder"]) expect(of(name)).toStartWith("ok: ");
  });

  asRoot("no network, a small disk, a folder where nothing may run", async () => {
    const cwd = await copy("a copy");
    const root = await runOrThrow(["docker", "info", "--format", "{{.DockerRootDir}}"]);
    const script = `
      mount -t tmpfs -o size=50m none "$1" && mount --bind "$2" "$2" && mount -o remount,bind,noexec "$2" &&
      cd "$2" && exec sh scripts/doctor`;
    const command = ["unshare", "--net", "--mount", "sh", "-c", script, "sh", root, cwd];
    const without = { HTTPS_PROXY: "", https_proxy: "", http_proxy: "" };
    const { of } = await examine({ ...without, BUN_IMAGE: "registry.example/bun:1", RUNTIME_IMAGE: "" }, {}, command);
    expect(of("disk")).toStartWith(`wrong: only 50 MB of disk are free in ${root}, and make up takes `);
    expect(of("folder", "warning")).toContain("(noexec)");
    expect(of("bases", "wrong")).toStartWith(
      "wrong: BUN_IMAGE=registry.example/bun:1 is not here, and registry.example is not reached: set BUN_IMAGE to an image that is",
    );
    expect(of("registry")).toStartWith("warning: the registry docker.io is not reached (");
  });

  asRoot("a user outside the docker group, and one who was in it only after the login", async () => {
    const cwd = await copy();
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "scripts/doctor"];
    const { of } = await examine({ HOME: "/nonexistent" }, { cwd }, nobody);
    expect(of("engine")).toMatch(/^wrong: user nobody has no permission .+sudo usermod -aG docker nobody$/);
    expect(of("folder")).toMatch(/^warning: .+ cannot be written/);

    const groups = join(folder, "group");
    const known = readFileSync("/etc/group", "utf8").replace(/^docker:.*\n/m, "");
    writeFileSync(groups, `${known}docker:x:998877:nobody\n`);
    const since = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', groups, ...nobody];
    expect((await examine({ HOME: "/nonexistent" }, { cwd }, since)).of("engine")).toBe(
      "wrong: user nobody is in the docker group, but not since this login: Log in again, or run:  newgrp docker",
    );
    // A login that has the group, where the socket is for another one.
    const member = since.map((word) =>
      word.replace("--clear-groups", "--groups=998877").replace("scripts/doctor", "scripts/engine"),
    );
    const { stderr } = await run([...member, "--check"], { cwd, env: environment({ HOME: "/nonexistent" }) });
    expect(stderr).toContain("has no permission");
  });
});

describe("Windows line endings are named", () => {
  test.each(["scripts/common.sh", "doctor/report.sh"])("in %s", async (file) => {
    const cwd = await copy();
    writeFileSync(join(cwd, file), readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    for (const command of [
      ["sh", "scripts/doctor"],
      ["make", "doctor"],
    ]) {
      const { code, stderr } = await run(command, { cwd, env: environment() });
      expect(code).not.toBe(0);
      expect(stderr).toContain("Windows line endings");
    }
  });
});

test("a certificate that only this machine trusts is told from one that it does not trust", async () => {
  if (Bun.which("openssl") === null || Bun.which("curl") === null)
    return console.error("skipped: no openssl, or no curl");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-days", "2"];
  await runOrThrow([...request, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]);
  const server = Bun.serve({
    port: 0,
    tls: { key: Bun.file(key), cert: Bun.file(cert) },
    fetch: () => new Response(""),
  });
  try {
    const address = `https://127.0.0.1:${server.port}/`;
    const env = {
      npm_config_registry: address,
      NO_PROXY: "127.0.0.1",
      no_proxy: "127.0.0.1",
      DOCKER_HOST: "unix:///none.sock",
    };
    expect((await examine(env)).of("certificates")).toBe(
      `warning: ${address} answers with a certificate that this machine does not trust: add the CA of your network to this machine`,
    );
    const { of } = await examine({ ...env, CURL_CA_BUNDLE: cert });
    expect(of("npm")).toBe(`ok: the npm registry ${address} is reached`);
    if (Bun.which("update-ca-certificates") !== null)
      expect(of("certificates")).toStartWith(`unknown: ${address} has a certificate that only this machine trusts`);
  } finally {
    server.stop(true);
  }
});

describe("what is for a bug report", () => {
  test("has no secret, and no user's name in a path", async () => {
    const canary = (place: string) => `canary-${place}`;
    const cwd = await copy('a "folder" of \\ \u0001 é');
    const home = join(cwd, "canary-home");
    mkdirSync(join(home, ".docker"), { recursive: true });
    const credentials = { auth: canary("auth"), identitytoken: canary("identity") };
    const proxies = { default: { httpsProxy: `http://u:${canary("builds")}@127.0.0.1:9` } };
    writeFileSync(
      join(home, ".docker/config.json"),
      JSON.stringify({
        auths: { "https://index.docker.io/v1/": credentials },
        HttpHeaders: { X: canary("header") },
        credsStore: "none-such",
        proxies,
      }),
    );
    writeFileSync(join(home, ".npmrc"), `//127.0.0.1:9/:_authToken=${canary("npm")}\n`);
    await runOrThrow(["git", "-C", cwd, "init", "--quiet"]);
    await runOrThrow(["git", "-C", cwd, "remote", "add", "origin", `https://u:${canary("git")}@example.org/x`]);
    const env: Environment = {
      ...UNSET,
      HOME: home,
      DOCKER_HOST: `tcp://u:${canary("host")}/with@signs@127.0.0.1:1`,
      HTTPS_PROXY: `http://canary-user:${canary("proxy")}/with@signs@127.0.0.1:9`,
      https_proxy: undefined,
      http_proxy: `canary-user:${canary("short")}@127.0.0.1:9`,
      npm_config_registry: `https://u:${canary("registry")}@127.0.0.1:9/`,
      HUB_TOKEN: canary("token"),
      COSIGN_PASSWORD: canary("cosign"),
      USER: "canary-user",
    };
    const variants = [
      `HUB_TOKEN=${canary("env")}\nFRONTEND_PORT=${canary("port")}\n`,
      `LAB_REGISTRY=https://u:${canary("lab")}@example.org\n`,
      `${canary("line")} ${canary("word")}\n`,
    ];
    for (const text of variants) {
      writeFileSync(join(cwd, ".env"), text);
      const { of, stdout, stderr } = await examine(env, { cwd });
      expect(stdout + stderr).not.toContain("canary");
      expect(of("login")).toContain("which ~/.docker/config.json names");
      expect(of("proxy")).toContain("HTTPS_PROXY=http://127.0.0.1:9, http_proxy=127.0.0.1:9");
      expect(of("settings", "wrong")).not.toBe("");
    }
    const lines = await run(["sh", "scripts/doctor"], { cwd, env: environment(env) });
    expect(lines.stdout + lines.stderr).not.toContain("canary");
    expect(lines.stdout).not.toContain("\u0001");
    expect(lines.stdout).toContain("\n✗ ");
  }, 60_000);

  /** What print_json makes of texts, which are written in the style of printf(1). */
  async function printed(...texts: string[]): Promise<string[]> {
    const script = `
      JSON=1
      . doctor/report.sh
      for text; do report ok test "$(printf "$text")"; done
      print_json true`;
    const { checks } = JSON.parse(await runOrThrow(["sh", "-c", script, "sh", ...texts])) as { checks: Check[] };
    return checks.map(({ found }) => found);
  }

  test("is JSON, whatever it quotes", async () => {
    const valid = ['"', "\\\\", "\\001\\033\\177", "a\\tb\\nc", "é ✓ 😀", "\u07ff\u0800\uffff\u{10ffff}", "%%s"];
    const read = ['"', "\\", "\u0001\u001b\u007f", "a b c", "é ✓ 😀", "\u07ff\u0800\uffff\u{10ffff}", "%s"];
    expect(await printed(...valid)).toEqual(read);
    const broken = ["\\377", "a\\351b", "\\303", "\\300\\200", "\\355\\240\\200", "\\364\\220\\200\\200", "\\200"];
    for (const text of await printed(...broken)) expect(text).toMatch(/^a?\ufffd+b?$/);
  });

  test.each([
    ["http://u:p@host/x", "http://host/x"],
    ["is alice:secret@host wrong", "is host wrong"],
    [`image@sha256:${"0".repeat(64)} of user@host`, "image of user@host"],
    ["/home/alice/lab, /Users/Alice B/lab/x", "~/lab, ~/lab/x"],
    ["/data/somebody/lab /data/somebody2/lab", "/data/~/lab /data/somebody2/lab"],
    ["/the home/x, /the home, /the homes, /of/the home", "~/x, ~, /the homes, /of/the home"],
  ])("says %j as %j", async (text, cleaned) => {
    const { stdout } = await run(["sh", "-c", '. doctor/report.sh; clean "$1"', "sh", text], {
      env: { HOME: "/the home/", USER: "somebody" },
    });
    expect(stdout).toBe(`${cleaned}\n`);
  });
});

test.each([
  ["20.10.9", "20.10.10", true],
  ["20.10.10", "20.10.10", false],
  ["20.10.24+dfsg1", "20.10.10", false],
  ["19.03.15", "20.10.10", true],
  ["28.2.2", "20.10.10", false],
  ["0.13.1", "0.17", true],
])("version %s is older than %s: %p", async (version, than, older) => {
  const { code } = await run(["sh", "-c", '. doctor/engine.sh; older_than "$1" "$2"', "sh", version, than]);
  expect(code === 0).toBe(older);
});
