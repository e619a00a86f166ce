// make deploy and make undeploy, on a Swarm of one node that is the test's own.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Environment, type Outcome, run, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { BODY, SERVICES, type ServiceName } from "../lab/services.ts";
import { version } from "../package.json" with { type: "json" };
import { canStartEngine, OwnEngine } from "../testing/own-engine.ts";
import { createTestStack, TEST_NAME } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

setDefaultTimeout(120_000);

if (!canStartEngine)
  console.error("skipping the tests of make deploy: they start an engine, which needs root and dockerd");

const image = (name: ServiceName, tag = version) => `docker.io/${TEST_NAME}/${name}:${tag}`;

describe.skipIf(!canStartEngine)("on a Swarm,", async () => {
  const engine = new OwnEngine();
  const stack = await createTestStack();
  const port = await freePort();
  const variables: Environment = {
    ...stack.env,
    DOCKER_HOST: engine.host,
    FRONTEND_PORT: String(port),
    LAB_BACKENDS: "2",
    LAB_MESH: "",
    LAB_VERSION: "",
  };

  const script = (action: "up" | "down", env: Environment = {}): Promise<Outcome> =>
    run(engine.beside("sh", "scripts/deploy", action), { env: { ...variables, ...env } });

  /** Docker on the test's engine, which must succeed. */
  async function docker(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await engine.docker(...args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  const things = async () =>
    [
      await docker("service", "ls", "--quiet"),
      await docker("network", "ls", "--quiet", "--filter", "scope=swarm"),
    ].join();

  const get = (path: string) =>
    runOrThrow(
      engine.beside(
        process.execPath,
        "-e",
        `console.log(await (await fetch("http://127.0.0.1:${port}${path}")).text())`,
      ),
    );

  /** Another version of both images, which only this engine has. */
  async function tag(tag: string, change: (name: ServiceName) => string): Promise<void> {
    for (const name of SERVICES) {
      const dockerfile = `FROM ${image(name)}\n${change(name)}\n`;
      const build = 'printf %s "$0" | docker --host "$1" build --quiet --tag "$2" -';
      await runOrThrow(["sh", "-c", build, dockerfile, engine.host, image(name, tag)], { DOCKER_BUILDKIT: "0" });
    }
  }

  beforeAll(async () => {
    await Promise.all([
      engine.start("--bridge", "none", "--shutdown-timeout", "1"),
      runOrThrow(["sh", "scripts/build"], stack.env),
    ]);
    const names = SERVICES.map(stack.image);
    const copy = 'host=$1; shift; docker save "$@" | docker --host "$host" load';
    await runOrThrow(["sh", "-c", copy, "-", engine.host, ...names]);
    for (const name of SERVICES) await docker("tag", stack.image(name), image(name));
    await tag("crashes", (name) => `ENTRYPOINT ["/${name}", "crash"]`);
    // Of this version only the backend is broken: a frontend takes longer to be replaced, twice.
    await docker("tag", image("api-backend", "crashes"), image("api-backend", "half"));
    await docker("tag", image("api-frontend"), image("api-frontend", "half"));
  });
  afterAll(async () => {
    await engine.remove();
    await stack.remove();
  });

  /** It is refused with these words, and nothing has changed. */
  async function expectRefusal(action: "up" | "down", message: string | RegExp, env: Environment = {}): Promise<void> {
    const isSwarm = (await docker("info", "--format", "{{.Swarm.LocalNodeState}}")) === "active";
    const before = isSwarm ? await things() : "";
    const { code, stdout, stderr } = await script(action, env);
    const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
    expect({ code, stdout, errors }).toEqual({ code: 1, stdout: "", errors: [expect.stringMatching(message)] });
    if (isSwarm) expect(await things()).toBe(before);
  }

  test("an engine that is in none, or does not answer, is refused", async () => {
    const message = "error: this engine is in no Swarm. Make it the manager of one:  docker swarm init";
    await expectRefusal("up", message);
    await expectRefusal("down", message);
    await expectRefusal("up", "error: cannot connect to the Docker engine at DOCKER_HOST=unix:///none", {
      DOCKER_HOST: "unix:///none",
    });
  });

  describe("a manager refuses", () => {
    beforeAll(async () => {
      await docker("swarm", "init", "--advertise-addr", "127.0.0.1");
    });

    test("a variable with a wrong value", async () => {
      await expectRefusal("up", /^error: LAB_BACKENDS=none: expected a number/, { LAB_BACKENDS: "none" });
      await expectRefusal("up", /^error: LAB_MESH=1: expected yes or no/, { LAB_MESH: "1" });
    });

    // It can only be seen where it is missing.
    test.skipIf(existsSync("/proc/net/ip_vs"))("the mesh, without IPVS", () =>
      expectRefusal("up", /^error: LAB_MESH=yes: this machine's kernel has no IPVS/, { LAB_MESH: "yes" }),
    );

    test("an image that the node does not have, and cannot pull", () =>
      expectRefusal(
        "up",
        /^error: docker\.io\/\w+\/api-backend:0\.0\.0 is not on this engine, and cannot be pulled: ./,
        {
          LAB_VERSION: "0.0.0",
        },
      ));

    test("more than the nodes have memory for", () =>
      expectRefusal(
        "up",
        /^error: too little memory: beside a frontend on each of 1 node\(s\), there is room for \d+ /,
        {
          LAB_BACKENDS: "9999",
        },
      ));

    test("a port that a program of this machine has", async () => {
      const program = `Bun.serve({ port: ${port}, fetch: () => new Response("other\\n") })`;
      const other = Bun.spawn(engine.beside(process.execPath, "-e", program), { stdout: "ignore" });
      try {
        await waitUntil("it listens", async () => (await get("/")).startsWith("other"));
        await expectRefusal("up", `error: port ${port} on this machine is taken by another program.`);
      } finally {
        other.kill();
        await other.exited;
      }
    });

    test("a port that another service has, and the name of somebody else's stack", async () => {
      const id = await docker("image", "inspect", "--format", "{{.Id}}", image("api-backend"));
      const options = [
        "--detach",
        "--no-resolve-image",
        "--replicas",
        "0",
        "--label",
        "com.docker.stack.namespace=other",
      ];
      options.push("--publish", `mode=host,target=8001,published=${port}`, "--name", "other_web");
      await docker("service", "create", ...options, id);
      const foreign = { COMPOSE_PROJECT_NAME: "other" };
      try {
        await expectRefusal("up", `error: port ${port} on the nodes is taken by the service other_web.`);
        const message =
          "error: there is another stack of the name other, with the service other_web. It stays as it is.";
        await expectRefusal("up", message, foreign);
        await expectRefusal("down", message, foreign);
      } finally {
        await docker("service", "rm", "other_web");
      }
    });
  });

  test("a first deployment that does not run, or is interrupted, is removed again", async () => {
    const before = await things();
    const failed = await script("up", { LAB_VERSION: "crashes" });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(`error: the stack ${TEST_NAME} did not start, and was removed again.\n`);
    expect(failed.stderr).toMatch(/\n {7}\w+_api-backend on test: task: non-zero exit \(64\)\n/);
    expect(await things()).toBe(before);

    const child = Bun.spawn(engine.beside("sh", "scripts/deploy", "up"), {
      env: { ...process.env, ...variables },
      stdout: "ignore",
      stderr: "pipe",
    });
    let said = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      if (!said.includes("tasks running") && text.includes("tasks running")) child.kill("SIGINT");
      said += text;
    }
    expect([await child.exited, said]).toEqual([
      130,
      expect.stringContaining("interrupted: removing what was deployed"),
    ]);
    expect(await things()).toBe(before);
  });

  test("it is deployed, again, updated, rolled back and removed", async () => {
    const before = await things();
    const first = await script("up");
    expect([first.code, first.stderr]).toEqual([0, expect.stringContaining(`_api-backend 2/2 tasks running`)]);
    expect(await get("/")).toBe(`${BODY["api-frontend"]}`.trim());
    const containers = await docker("ps", "--quiet");

    const second = await script("up");
    expect([second.code, await docker("ps", "--quiet")]).toEqual([0, containers]);

    const third = await script("up", { LAB_VERSION: "half" });
    expect(third.code).toBe(1);
    expect(third.stderr).toContain(
      `error: the update failed. The stack ${TEST_NAME} was rolled back, and runs as before.\n`,
    );
    expect(third.stderr).toContain("non-zero exit (64)");
    expect(await get("/")).toBe(`${BODY["api-frontend"]}`.trim());

    const hardening =
      "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}";
    for (const id of (await docker("ps", "--quiet")).split("\n"))
      expect(await docker("inspect", "--format", hardening, id)).toBe(`true [ALL] ${256 * 2 ** 20} 64`);

    const removed = await script("down");
    expect([removed.code, removed.stderr]).toEqual([
      0,
      expect.stringContaining(`==> the stack ${TEST_NAME} is gone\n`),
    ]);
    expect(await things()).toBe(before);
    expect(await docker("ps", "--all", "--quiet")).toBe("");
    const none = await script("down");
    expect([none.code, none.stderr]).toEqual([0, `==> there is no stack ${TEST_NAME} on this Swarm\n`]);
  });
});
