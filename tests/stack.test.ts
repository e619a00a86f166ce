// The stack as `make up` starts it, on the real engine.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { runOrThrow } from "../host/command.ts";
import { type Container, inspect } from "../host/docker.ts";
import { BODY, PORT, SERVICES, type ServiceName } from "../lab/services.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { createTestStack, leftovers, TEST_NAME, type TestStack } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

setDefaultTimeout(120_000);

describeWithEngine("the stack", () => {
  let stack: TestStack;
  let printed = "";

  beforeAll(async () => {
    stack = await createTestStack();
    printed = await runOrThrow(["make", "up"], stack.env);
  });
  afterAll(() => stack.remove());

  const get = (name: ServiceName, path = "/") => sendRaw(stack.ports[name], rawRequest("GET", path));
  const serves = async (name: ServiceName) => (await get(name)).endsWith(BODY[name]);

  /** Makes a service crash, calls `whileDown`, and expects the engine to restart the same container. */
  async function crash(name: ServiceName, whileDown = async () => {}) {
    const before = await stack.container(name);
    expect(await get(name, "/traceback")).toBe("");
    await whileDown();
    await waitUntil(`${name} serves again`, () => serves(name));
    const after = await stack.container(name);
    expect(after.RestartCount).toBe(before.RestartCount + 1);
    expect(after.Id).toBe(before.Id);
    expect(Date.parse(after.State.StartedAt)).toBeGreaterThan(Date.parse(before.State.StartedAt));
  }

  test("make up prints both addresses with their responses", () => {
    expect(printed).toBe(
      SERVICES.map((name) => `${name}  http://localhost:${stack.ports[name]}/\n${BODY[name]}`)
        .join("\n")
        .trim(),
    );
  });

  test.each([...SERVICES])("%s is healthy and serves", async (name) => {
    expect((await stack.container(name)).State.Health?.Status).toBe("healthy");
    expect(await serves(name)).toBe(true);
  });

  test("the frontend starts after the backend is healthy", async () => {
    const [backend, frontend] = [await stack.container("api-backend"), await stack.container("api-frontend")];
    const started = Date.parse(frontend.State.StartedAt);
    const healthy = Date.parse(backend.State.Health?.Log[0]?.End ?? "");
    console.log(`the frontend waited ${started - Date.parse(backend.State.StartedAt)} ms for the backend`);
    expect(started).toBeGreaterThanOrEqual(healthy);
  });

  describe.each([...SERVICES])("the container of %s", (name) => {
    test("is hardened, and set to restart", async () => {
      const { HostConfig, NetworkSettings } = await stack.container(name);
      expect(HostConfig).toMatchObject({
        RestartPolicy: { Name: "always", MaximumRetryCount: 0 },
        ReadonlyRootfs: true,
        CapDrop: ["ALL"],
        CapAdd: null,
        Privileged: false,
        SecurityOpt: ["no-new-privileges:true"],
        PidsLimit: 64,
        Memory: 256 * 1024 * 1024,
        LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
      });
      expect(Object.keys(NetworkSettings.Networks)).toEqual([`${TEST_NAME}_lab`]);
    });

    test("has the service as its only process, PID 1", async () => {
      const { Id, State } = await stack.container(name);
      // A running health check is another process for a moment.
      const isAlone = async () => {
        const [, ...pids] = (await runOrThrow(["docker", "top", Id, "-o", "pid"])).split("\n");
        return pids.length === 1 && Number(pids[0]) === State.Pid;
      };
      await waitUntil("it is the only process", isAlone, 5000);
      expect(await serves(name)).toBe(true);
    });
  });

  test("the frontend's container has the subject's two variables", async () => {
    const { Env } = (await stack.container("api-frontend")).Config;
    expect(Env).toContainValues(["API_BACKEND_URL=api-backend", "API_BACKEND_PORT=8001"]);
  });

  test("a second make up builds and recreates nothing", async () => {
    const state = async () => {
      const containers = await Promise.all(SERVICES.map((name) => stack.container(name)));
      return containers.map(({ Id, Image, State }) => [Id, Image, State.StartedAt]);
    };
    const before = await state();
    const start = performance.now();
    await runOrThrow(["make", "up"], stack.env);
    console.log(`make up without changes: ${Math.round(performance.now() - start)} ms`);
    expect(await state()).toEqual(before);
  });

  test("the frontend survives a crash of the backend without a restart of its own", async () => {
    const before = await stack.container("api-frontend");
    await crash("api-backend", async () => expect(await serves("api-frontend")).toBe(true));
    const after = await stack.container("api-frontend");
    expect([after.RestartCount, after.State.StartedAt]).toEqual([before.RestartCount, before.State.StartedAt]);
  });

  test("the frontend serves again after a crash", () => crash("api-frontend"));

  test.each([...SERVICES])("%s logs one JSON line for each event", async (name) => {
    const lines = await runOrThrow(["docker", "logs", (await stack.container(name)).Id]);
    const events = lines.split("\n").map((line) => JSON.parse(line));
    expect(events.filter(({ event }) => event !== "backend_call_failed")).toMatchObject([
      { event: "start", service: name, pid: 1, port: PORT[name] },
      { event: "crash", service: name },
      { event: "start", service: name, pid: 1, port: PORT[name] },
    ]);
  });

  test.each([...SERVICES].reverse())("docker stop ends %s within a second, with exit code 0", async (name) => {
    const { Id } = await stack.container(name);
    const start = performance.now();
    await runOrThrow(["docker", "stop", Id]);
    const took = performance.now() - start;
    console.log(`docker stop ${name}: ${Math.round(took)} ms`);
    expect(took).toBeLessThan(1000);
    const { State } = await inspect<Container>(Id);
    expect([State.Status, State.ExitCode]).toEqual(["exited", 0]);
  });

  test("make down leaves nothing of the stack", async () => {
    await runOrThrow(["make", "down"], stack.env);
    expect(await leftovers()).toBe("");
  });
});
