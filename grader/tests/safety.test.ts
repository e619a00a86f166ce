// What a hostile submission reaches for, and its twin that asks for the same rightly. Decided before anything is started:
// by the file that the grader writes for Compose.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeWithEngine } from "../../testing/engine.ts";
import { compose1, compose2 } from "../../testing/stack.ts";
import { requireEngine } from "../compose.ts";
import type { Submission } from "../submission.ts";
import { removeWorkFolders } from "../work-folder.ts";
import { change, type Files, right, submissionOf, write } from "./submissions.ts";

/** A folder of the teacher's, with a secret in it and another in the environment. */
const teachers = realpathSync(mkdtempSync(join(tmpdir(), "teacher-")));
const SECRET = "hunter2-of-the-teacher";
writeFileSync(join(teachers, "secret.env"), `TEACHER=${SECRET}\n`);
writeFileSync(join(teachers, "base.yaml"), `services: { base: { environment: { TEACHER: ${SECRET} } } }\n`);

beforeAll(() => {
  process.env.TEACHER_SECRET = SECRET;
});
afterAll(() => {
  delete process.env.TEACHER_SECRET;
  rmSync(teachers, { recursive: true });
});

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  removeWorkFolders();
});

/** Reads a submission of these files, after something else has been done to its folder. */
async function read(files: Files, prepare?: (folder: string) => void): Promise<Submission> {
  const folder = write(files);
  folders.push(folder);
  prepare?.(folder);
  return submissionOf(folder);
}

const FILE = "docker-compose.yaml";
/** The right submission, with more keys of the backend. */
const backend = (...lines: string[]): Files =>
  change(right, [
    FILE,
    "    build: ./api-backend\n",
    `    build: ./api-backend\n${lines.map((line) => `    ${line}\n`).join("")}`,
  ]);
/** The right submission, with another build of the backend. */
const build = (yaml: string): Files => change(right, [FILE, "build: ./api-backend", `build: ${yaml}`]);
/** With more sections. */
const section = (files: Files, yaml: string): Files => change(files, [FILE, /$/, yaml]);

/** What is refused, and its twin. */
const REFUSED: Record<string, [hostile: Files, twin: Files]> = {
  privileged: [backend("privileged: true"), backend("privileged: false")],
  "privileged, written as YAML 1.1": [backend("privileged: yes"), backend("read_only: yes")],
  "privileged, behind a merge key": [
    change(
      right,
      [FILE, /^/, "x-all: &all { privileged: true }\n"],
      [FILE, "  api-backend:\n", "  api-backend:\n    <<: *all\n"],
    ),
    change(
      right,
      [FILE, /^/, "x-all: &all { init: false }\n"],
      [FILE, "  api-backend:\n", "  api-backend:\n    <<: *all\n"],
    ),
  ],
  "privileged, on a third service": [
    change(right, [FILE, "services:\n", "services:\n  helper: { image: api-backend, privileged: true }\n"]),
    change(right, [FILE, "services:\n", "services:\n  helper: { image: api-backend }\n"]),
  ],
  "a capability": [
    backend("cap_add: [SYS_ADMIN]"),
    backend("cap_drop: [ALL]", "cap_add: [NET_BIND_SERVICE, CAP_CHOWN, kill]"),
  ],
  "all capabilities": [backend("cap_add: [ALL]"), backend("cap_add: []")],
  "a device": [backend("devices: ['/dev/sda:/dev/sda']"), backend("devices: []")],
  "a rule for devices": [backend("device_cgroup_rules: ['a *:* rwm']"), backend("labels: { a: b }")],
  "no seccomp": [backend("security_opt: ['seccomp:unconfined']"), backend("security_opt: ['no-new-privileges:true']")],
  "no AppArmor": [
    backend("security_opt: ['apparmor=unconfined']"),
    backend("security_opt: ['apparmor=docker-default']"),
  ],
  "the processes of the machine": [backend("pid: host"), backend("init: false")],
  "the IPC of the machine": [backend("ipc: host"), backend("ipc: private")],
  "the user namespace of the machine": [backend("userns_mode: host"), backend("user: '1000:1000'")],
  "the host name of the machine": [backend("uts: host"), backend("hostname: back")],
  "the control groups of the machine": [backend("cgroup: host"), backend("cgroup: private")],
  "a control group": [backend("cgroup_parent: /"), backend("mem_limit: 64m")],
  "the namespace of a foreign container": [
    backend("network_mode: 'container:teacher'"),
    backend("network_mode: bridge"),
  ],
  "a network of the machine, by its name": [backend("network_mode: teachers"), backend("networks: [default]")],
  "the volumes of a foreign container": [backend("volumes_from: ['container:teacher']"), backend("volumes: ['/data']")],
  "a link to a foreign container": [backend("external_links: [teacher]"), backend("expose: ['8001']")],
  "another runtime": [backend("runtime: nvidia"), backend("runtime: runc")],
  "a program of the machine as provider": [backend("provider: { type: rm }"), backend("working_dir: /")],
  "a hook with all rights": [
    backend("post_start: [{ command: id, privileged: true }]"),
    backend("stop_grace_period: 5s"),
  ],
  "a folder of the machine": [
    backend(`volumes: ['${teachers}:/teacher']`),
    backend("volumes: ['./api-backend:/src:ro']"),
  ],
  "a folder of the machine, in the long form": [
    backend(`volumes: [{ type: bind, source: ${teachers}, target: /teacher }]`),
    backend("volumes: [{ type: bind, source: ./api-backend, target: /src }]"),
  ],
  "a folder above": [backend("volumes: ['./../..:/up']"), backend("volumes: ['./api-backend/..:/all']")],
  "the home": [backend("volumes: ['~:/home']"), backend("volumes: ['data:/home']")],
  "a folder through a variable": [
    { ...backend(`volumes: ['\${WHERE}:/teacher']`), ".env": `WHERE=${teachers}\n` },
    { ...backend(`volumes: ['\${WHERE}:/src']`), ".env": "WHERE=./api-backend\n" },
  ],
  "the Docker socket": [backend("volumes: ['/var/run/docker.sock:/var/run/docker.sock']"), backend("tmpfs: [/run]")],
  "the Docker socket, by Compose": [backend("use_api_socket: true"), backend("use_api_socket: false")],
  "a volume that is a bind": [
    section(
      backend("volumes: ['data:/data']"),
      `volumes: { data: { driver: local, driver_opts: { type: none, o: bind, device: ${teachers} } } }\n`,
    ),
    section(backend("volumes: ['data:/data']"), "volumes: { data: {} }\n"),
  ],
  "a volume of the machine": [
    section(backend("volumes: ['data:/data']"), "volumes: { data: { external: true, name: teachers } }\n"),
    section(backend("volumes: ['data:/data']"), "volumes: { data: { name: mine } }\n"),
  ],
  "a network of the machine": [
    section(backend("networks: [net]"), "networks: { net: { external: true, name: teachers } }\n"),
    section(backend("networks: [net]"), "networks: { net: { name: mine } }\n"),
  ],
  "a network on the machine's interface": [
    section(backend("networks: [net]"), "networks: { net: { driver: macvlan } }\n"),
    section(backend("networks: [net]"), "networks: { net: { driver: bridge } }\n"),
  ],
  "a network on addresses of the internet": [
    section(backend("networks: [net]"), "networks: { net: { ipam: { config: [{ subnet: 8.8.8.0/24 }] } } }\n"),
    // Not one of those that Docker itself gives to networks, of other tests for example.
    section(backend("networks: [net]"), "networks: { net: { ipam: { config: [{ subnet: 10.211.240.0/24 }] } } }\n"),
  ],
  "a folder of the machine, as a volume": [
    backend(`volumes: [{ type: volume, source: ${teachers}, target: /teacher }]`),
    section(backend("volumes: [{ type: volume, source: data, target: /data }]"), "volumes: { data: {} }\n"),
  ],
  "variables from a file of the machine": [
    backend(`env_file: ${teachers}/secret.env`),
    { ...backend("env_file: [own.env]"), "own.env": "A=b\n" },
  ],
  "variables from a file of the machine, through a variable": [
    { ...backend(`env_file: ['\${WHERE}/secret.env']`), ".env": `WHERE=${teachers}\n` },
    { ...backend(`env_file: ['\${WHERE:-none}.env', '\${NO-own}.env']`), "own.env": "A=b\n", ".env": "WHERE=own\n" },
  ],
  "variables for an included file, from above": [
    {
      ...change(right, [FILE, /^/, "include: [{ path: own.yaml, env_file: ../secret.env }]\n"]),
      "own.yaml": "services: { other: { image: a } }\n",
    },
    {
      ...change(right, [FILE, /^/, "include: [{ path: own.yaml, env_file: own.env }]\n"]),
      "own.env": "A=b\n",
      "own.yaml": "services: { other: { image: a } }\n",
    },
  ],
  "a file above, through the folder of an include": [
    {
      ...change(right, [FILE, /^/, "include: [{ path: deep/deep/own.yaml, project_directory: . }]\n"]),
      "deep/deep/own.yaml": "services: { other: { image: a, env_file: ../../secret.env } }\n",
    },
    {
      ...change(right, [
        FILE,
        /^/,
        "include: [{ path: [deep/deep/own.yaml, deep/b.yaml], project_directory: deep }]\n",
      ]),
      "deep/deep/own.yaml": "services: { other: { image: a, env_file: own.env } }\n",
      "deep/b.yaml": "services: { other: { init: true } }\n",
      "deep/own.env": "A=b\n",
    },
  ],
  "a file above, through the first of several Compose files": [
    {
      ...right,
      ".env": "COMPOSE_FILE=docker-compose.yaml:deep/deep/own.yaml\n",
      "deep/deep/own.yaml": "services: { api-backend: { env_file: ../../own.env } }\n",
      "own.env": "A=b\n",
    },
    {
      ...right,
      ".env": "COMPOSE_FILE=docker-compose.yaml:deep/deep/own.yaml\n",
      "deep/deep/own.yaml": "services: { api-backend: { env_file: own.env } }\n",
      "own.env": "A=b\n",
    },
  ],
  "the volumes of a foreign container, as if it were a service": [
    change(backend("volumes_from: ['container:teacher']"), [
      FILE,
      "services:\n",
      "services:\n  container: { image: a }\n",
    ]),
    change(backend("volumes_from: [container]"), [FILE, "services:\n", "services:\n  container: { image: a }\n"]),
  ],
  "a secret of the machine for the build": [
    section(build("{ context: api-backend, secrets: [s] }"), "secrets: { s: { external: true } }\n"),
    {
      ...section(build("{ context: api-backend, secrets: [{ source: s }] }"), "secrets: { s: { file: ./own.txt } }\n"),
      "own.txt": "mine",
    },
  ],
  "variables from a file above": [
    backend("env_file: ['../secret.env']"),
    { ...backend("env_file: ./own.env"), "own.env": "A=b\n" },
  ],
  "a service of a file of the machine": [
    backend(`extends: { file: ${teachers}/base.yaml, service: base }`),
    {
      ...backend("extends: { file: own.yaml, service: base }"),
      "own.yaml": "services: { base: { labels: { a: b } } }\n",
    },
  ],
  "rights that another file has": [
    {
      ...backend("extends: { file: own.yaml, service: base }"),
      "own.yaml": "services: { base: { privileged: true } }\n",
    },
    { ...backend("extends: { file: own.yaml, service: base }"), "own.yaml": "services: { base: { init: false } }\n" },
  ],
  "a build from a folder of the machine": [build(teachers), build("{ context: ./api-backend }")],
  "a build from above": [
    build("{ context: .., dockerfile: Dockerfile }"),
    build("{ context: ., dockerfile: api-backend/Dockerfile }"),
  ],
  "a build from a remote address": [build("https://example.org/evil.git"), build("api-backend")],
  "a Dockerfile of the machine": [
    build(`{ context: ., dockerfile: ${teachers}/Dockerfile }`),
    build("{ context: api-backend, dockerfile: ./Dockerfile }"),
  ],
  "a build on the network of the machine": [
    build("{ context: api-backend, network: host }"),
    build("{ context: api-backend, network: default }"),
  ],
  "a build with the keys of the machine": [
    build("{ context: api-backend, ssh: [default] }"),
    build("{ context: api-backend, args: { A: b } }"),
  ],
  "a build with a secret": [
    section(build("{ context: api-backend, secrets: [s] }"), `secrets: { s: { file: ${teachers}/secret.env } }\n`),
    build("{ context: api-backend, labels: { a: b } }"),
  ],
  "a secret of the machine": [
    section(backend("secrets: [s]"), `secrets: { s: { file: ${teachers}/secret.env } }\n`),
    { ...section(backend("secrets: [s]"), "secrets: { s: { file: ./own.txt } }\n"), "own.txt": "mine" },
  ],
  "a configuration of the machine": [
    section(backend("configs: [c]"), `configs: { c: { file: ${teachers}/secret.env } }\n`),
    { ...section(backend("configs: [c]"), "configs: { c: { file: ./own.txt } }\n"), "own.txt": "mine" },
  ],
};

/** Of these the value decides, as Compose prints it: each generation prints it in its own way. */
const BY_VALUE = [
  "a folder of the machine, as a volume",
  "a network on addresses of the internet",
  "a folder of the machine",
  "a folder of the machine, in the long form",
  "the home",
  "a folder through a variable",
  "the Docker socket",
  "a volume that is a bind",
  "a volume of the machine",
  "a network of the machine",
  "a network on the machine's interface",
  "a secret of the machine",
  "a build from a folder of the machine",
  "a build from a remote address",
  "a Dockerfile of the machine",
  "no seccomp",
  "a network of the machine, by its name",
];

/** What is left out or has no effect, as the file that runs shows. */
const HARMLESS: Record<string, Files> = {
  "a variable of the teacher's": backend(`environment: { A: '\${TEACHER_SECRET}' }`),
  "a variable of the teacher's, by its name alone": backend("environment: [TEACHER_SECRET]"),
  "a variable of the teacher's for the build": build("{ context: api-backend, args: [TEACHER_SECRET] }"),
  "a variable of the teacher's in a command": backend(`command: ['echo', '\${TEACHER_SECRET:-}']`),
  "kernel parameters": backend("sysctls: { net.ipv4.ip_forward: 1 }"),
  "a cache that is written to the machine": build(
    `{ context: api-backend, cache_to: ['type=local,dest=${teachers}/cache'] }`,
  ),
  "a further build folder": build(`{ context: api-backend, additional_contexts: { t: ${teachers} } }`),
  "labels from a file of the machine": backend(`label_file: ${teachers}/secret.env`),
  "labels of another project": backend("labels: { com.docker.compose.project: teacher }"),
  "a log driver of the machine": backend("logging: { driver: syslog, options: { syslog-address: 'unix:///dev/log' } }"),
  "options of the driver for an address": change(backend("networks: { net: { driver_opts: { sysctls: a } } }"), [
    FILE,
    /$/,
    "networks: { net: {} }\n",
  ]),
  "a probe every thousandth of a second": backend("healthcheck: { test: [CMD, 'true'], interval: 0.001s }"),
  "a probe every millisecond": backend("healthcheck: { test: [CMD, 'true'], interval: 1ms }"),
  "many copies": backend("deploy: { replicas: 500 }", "scale: 500"),
  "a .env that leads Compose elsewhere": {
    ...right,
    ".env": `DOCKER_HOST=tcp://192.0.2.1:2375\nCOMPOSE_FILE=${teachers}/base.yaml\nCOMPOSE_PROFILES=x\nCOMPOSE_PROJECT_NAME=teacher\n`,
  },
  "an environment file through a variable that is not set": backend(`env_file: ['\${WHERE}']`),
  "an environment file through a variable of a variable": {
    ...backend(`env_file: ['\${WHERE}']`),
    ".env": `WHERE=$\{A}\nA=${teachers}/secret.env\n`,
  },
  "a volume in memory": section(
    backend("volumes: ['data:/data']"),
    "volumes: { data: { driver_opts: { type: tmpfs, device: tmpfs, o: size=10m } } }\n",
  ),
  "the time zone of the machine": backend("volumes: ['/etc/localtime:/etc/localtime:ro']"),
  "a further build context from elsewhere": build(
    "{ context: api-backend, additional_contexts: { t: 'https://example.org/x.git' } }",
  ),
};

describeWithEngine("a submission that reaches for the machine", async () => {
  describe.each([
    ["1", await compose1(), Object.entries(REFUSED).filter(([name]) => BY_VALUE.includes(name))],
    ["2", await compose2(), Object.entries(REFUSED)],
  ])("with Compose %s", (_, variables, refused) => {
    const test_ = test.skipIf(variables === undefined);
    const before = { ...process.env };
    beforeAll(async () => {
      Object.assign(process.env, variables);
      await requireEngine();
    });
    afterAll(() => {
      for (const name of Object.keys(variables ?? {})) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    });

    test_.each(refused)("is refused: %s", async (_, [hostile, twin]) => {
      const { source, config, invalid } = await read(hostile);
      expect(config.services).toEqual({});
      // Compose rejects a path as a volume itself.
      if (invalid === undefined) {
        expect(source.refusals.length).toBeGreaterThan(0);
        expect(source.refusals[0]?.place).toMatch(/^(docker-compose|own|deep.deep.own)\.yaml(:\d+)?$/);
      } else expect(invalid).toMatch(/volume/i);
      const right = await read(twin);
      expect(right.source.refusals).toEqual([]);
      // Compose 1 does not know some of the keys.
      if (right.invalid === undefined) expect(Object.keys(right.services)).toEqual(["backend", "frontend"]);
    });

    // Who resolves the link first looks elsewhere than who does not.
    test_.each([
      ["deep/deep", "../../../own.env", 1],
      ["deep/deep", "../own.env", 0],
      [".", "../own.env", 1],
      [".", "own.env", 0],
    ])(
      "a service of a file behind a link to %s, with variables from %s: %d refusals",
      async (target, path, refusals) => {
        const { source } = await read(
          {
            ...backend("extends: { file: a/link/own.yaml, service: base }"),
            "deep/deep/own.yaml": `services: { base: { env_file: ${path} } }\n`,
            "own.yaml": `services: { base: { env_file: ${path} } }\n`,
            "a/b": "",
          },
          (folder) => symlinkSync(`../${target}`, join(folder, "a/link")),
        );
        expect(source.refusals).toHaveLength(refusals);
      },
    );

    test_.each(Object.entries(HARMLESS))("has no effect: %s", async (_, files) => {
      const { source, config } = await read(files);
      expect(source.refusals).toEqual([]);
      const runs = JSON.stringify(config);
      for (const word of [SECRET, teachers, "192.0.2.1", "syslog", "com.docker", "sysctls", "500", "1ms", "0.001s"])
        expect(runs).not.toContain(word);
    });
  });
});
