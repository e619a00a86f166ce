// A Compose that is missing, broken, too old or does not fit the engine is named in one line; one that works is used as
// it is. Nothing is installed unless there is no engine.

import { afterAll, afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run } from "../host/command.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { compose2 } from "../testing/stack.ts";

const folder = mkdtempSync(join(tmpdir(), "tpdocker-compose-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The arguments with which apt-get and dpkg were called. */
const calls = join(folder, "calls");
afterEach(() => rmSync(calls, { force: true }));

const TOOLS = ["sh", "awk", "cat", "dirname", "git", "grep", "head", "id", "sed", "tail", "tr", "uname"];
// They only write down how they are called.
const PACKAGE_TOOLS = {
  "apt-get": `echo "apt-get $*" >>'${calls}'; exit 100`,
  dpkg: `echo "dpkg $*" >>'${calls}'`,
  "apt-cache": "exit 1",
};

/** A folder to be PATH, with the tools that the scripts need and these programs: lines of shell, or a file's path. */
function pathWith(programs: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(folder, "bin-"));
  for (const name of TOOLS) symlinkSync(Bun.which(name) ?? "", join(path, name));
  for (const [name, program] of Object.entries({ ...PACKAGE_TOOLS, ...programs })) {
    if (existsSync(program)) symlinkSync(program, join(path, name));
    else writeFileSync(join(path, name), `#!/bin/sh\n${program}\n`, { mode: 0o755 });
  }
  return path;
}

const script = (name: string, args: string[], PATH: string, env: Environment = {}) =>
  run([Bun.which("sh") ?? "", `scripts/${name}`, ...args], { env: { PATH, INSTALL: undefined, ...env } });

const WITHOUT_COMPOSE_2 = `if [ "$1" = compose ]; then echo "docker: 'compose' is not a docker command." >&2; exit 1; fi\n`;
/** The engine of this machine, without Compose 2. */
const DOCKER = `${WITHOUT_COMPOSE_2}exec '${Bun.which("docker")}' "$@"`;
/** A docker-compose that fails with these words whatever it shall do. */
const composeThatSays = (...lines: string[]) => `cat >&2 <<'END'\n${lines.join("\n")}\nEND\nexit 1`;

describeWithEngine("make engine", async () => {
  const variables = await compose2();

  test.each([
    ["is missing", {}, "Docker Compose is not installed."],
    [
      "misses a part of Python, as on Ubuntu 24.04",
      {
        "docker-compose": composeThatSays(
          "Traceback (most recent call last):",
          '  File "/usr/bin/docker-compose", line 33, in <module>',
          "    sys.exit(load_entry_point('docker-compose==1.29.2', 'console_scripts', 'docker-compose')())",
          '  File "/usr/lib/python3/dist-packages/compose/cli/main.py", line 9, in <module>',
          "    from distutils.spawn import find_executable",
          "ModuleNotFoundError: No module named 'distutils'",
        ),
      },
      "Docker Compose does not work: ModuleNotFoundError: No module named 'distutils'",
    ],
    [
      "does not fit its own libraries",
      {
        "docker-compose": composeThatSays(
          "Traceback (most recent call last):",
          '  File "/usr/lib/python3/dist-packages/docker/api/client.py", line 214, in _retrieve_server_version',
          '    return self.version(api_version=False)["ApiVersion"]',
          "urllib3.exceptions.URLSchemeUnknown: Not supported URL scheme http+docker",
          "docker.errors.DockerException: Error while fetching server API version: Not supported URL scheme http+docker",
          "[2841] Failed to execute script docker-compose",
        ),
      },
      "Docker Compose does not work: docker.errors.DockerException: Error while fetching server API version: Not supported URL scheme http+docker",
    ],
    [
      "is too old, as on Ubuntu 20.04",
      {
        "docker-compose": composeThatSays(
          "ERROR: The Compose file './docker-compose.yaml' is invalid because:",
          "Unsupported config option for networks: 'lab'",
          "Unsupported config option for services: 'api-backend'",
        ),
      },
      "Docker Compose does not work: Unsupported config option for services: 'api-backend'",
    ],
    [
      "is older still",
      {
        "docker-compose": composeThatSays(
          'ERROR: Version in "./docker-compose.yaml" is unsupported. You might be seeing this error because you\'re using the wrong Compose file version.',
          "For more on the Compose file format versions, see https://docs.docker.com/compose/compose-file/",
        ),
      },
      'Docker Compose does not work: ERROR: Version in "./docker-compose.yaml" is unsupported. You might be seeing this error because you\'re using the wrong Compose file version.',
    ],
    [
      "is from before 1.25, which answers a new option with its help",
      {
        "docker-compose": composeThatSays("Usage:", "  docker-compose [options] [COMMAND]", "  version   Show version"),
      },
      "Docker Compose does not work: it is too old.",
    ],
    [
      "may not be run",
      { "docker-compose": "echo 'exec: docker-compose: Permission denied' >&2; exit 126" },
      "Docker Compose does not work: exec: docker-compose: Permission denied",
    ],
  ])("says in one line that Compose %s, and what to do", async (_, programs, message) => {
    const { code, stdout, stderr } = await script("engine", [], pathWith({ docker: DOCKER, ...programs }));
    const [first, second, ...others] = stderr.split("\n");
    expect(first).toBe(`error: ${message}`);
    expect(second).toMatch(/^ {7}Install Compose 2: {2}\S/);
    expect({ code, stdout, others }).toEqual({ code: 1, stdout: "", others: [""] });
    expect(existsSync(calls)).toBe(false);
  });

  const compose1 = Bun.which("docker-compose");
  test.each([
    ["Compose 1", compose1 ? { docker: DOCKER, "docker-compose": compose1 } : undefined, {}],
    ["Compose 2", variables ? { docker: Bun.which("docker") ?? "" } : undefined, variables ?? {}],
  ])("uses an engine with %s as it is", async (_, programs, env) => {
    // Not on this machine.
    if (programs === undefined) return;
    expect(await script("engine", [], pathWith(programs), env)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(existsSync(calls)).toBe(false);
  });
});

const NO_ENGINE = { DOCKER_HOST: undefined };

test.each([
  ["INSTALL=no", [], { INSTALL: "no" }],
  ["--check", ["--check"], {}],
])("without an engine, %s installs nothing", async (_, args, env) => {
  const { code, stdout, stderr } = await script("engine", args, pathWith({}), { ...NO_ENGINE, ...env });
  expect(stderr).toMatch(
    /^error: cannot connect to a Docker engine on this machine\.\n {7}Install and start one: {2}.+\n$/,
  );
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(existsSync(calls)).toBe(false);
});

// Only there does make engine install something.
const asRootOnDebian = test.skipIf(process.getuid?.() !== 0 || !Bun.which("apt-get"));

asRootOnDebian("without an engine, root is told first what will be installed", async () => {
  const { code, stderr } = await script("engine", [], pathWith({}), NO_ENGINE);
  expect(stderr).toStartWith("==> no Docker Engine here: installing it and Compose from this distribution (");
  expect(stderr).toContain("INSTALL=no");
  // The apt-get of this test fails.
  expect(stderr).toContain("error: apt-get could not install: docker.io iptables\n");
  expect(code).toBe(1);
  expect(readFileSync(calls, "utf8")).toMatch(/^apt-get update$.*^apt-get .*install .*docker\.io iptables$/ms);
});

test.skipIf(!Bun.which("apt-get")).each([
  ["Ubuntu", { "docker-compose-v2": "2.24.6", "docker-compose": "1.29.2-6" }, "sudo apt-get install docker-compose-v2"],
  ["Debian 13", { "docker-compose": "2.26.1-4" }, "sudo apt-get install docker-compose"],
  ["Debian 12", { "docker-compose": "1.29.2-3" }, "https://docs.docker.com/compose/install/linux/"],
])("the command that installs Compose 2 is right for %s", async (_, candidates, hint) => {
  const cases = Object.entries(candidates).map(([name, version]) => `${name}) echo "  Candidate: ${version}" ;;`);
  const aptCache = `case $2 in ${cases.join(" ")} *) [ "$1" = policy ] ;; esac`;
  expect(await script("install-hint", ["compose"], pathWith({ "apt-cache": aptCache }))).toEqual({
    code: 0,
    stdout: `${hint}\n`,
    stderr: "",
  });
});

test.each([
  ["both", "docker compose config"],
  ["only Compose 1", "docker-compose config"],
])("with %s, scripts/compose runs %s", async (which, command) => {
  const docker = which === "both" ? 'echo "docker $*"' : WITHOUT_COMPOSE_2;
  const path = pathWith({ docker, "docker-compose": 'echo "docker-compose $*"' });
  expect(await script("compose", ["config"], path)).toMatchObject({ code: 0, stdout: `${command}\n` });
});

// Later versions leave out a field that Compose 1 reads when it recreates a container: KeyError: 'ContainerConfig'.
test.each([
  ["1.41", ""],
  ["1.44", ""],
  ["1.45", "1.44"],
  ["1.52", "1.44"],
])("with an engine whose API is %s, Compose 1 asks for %p", async (api, asked) => {
  const path = pathWith({
    docker: `${WITHOUT_COMPOSE_2}echo ${api}`,
    "docker-compose": `echo "\${COMPOSE_API_VERSION-}"`,
  });
  expect((await script("compose", ["ps"], path, { COMPOSE_API_VERSION: undefined })).stdout).toBe(`${asked}\n`);
});
