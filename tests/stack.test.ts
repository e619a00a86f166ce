// The stack as `make up` starts it, on the real engine.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { runOrThrow } from "../host/command.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { BODY, PORT, SERVICES, type ServiceName } from "../testing/services.ts";
import { createTestStack, leftovers, TEST_NAME } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

const stack = await createTestStack();
let shown = "";

beforeAll(async () => {
  shown = await runOrThrow(["make", "up"], stack.env);
});
afterAll(() => stack.remove());

const get = (name: ServiceName, path = "/") => sendRaw(stack.ports[name], rawRequest("GET", path));
const isServing = async (name: ServiceName) => (await get(name)).endsWith(BODY[name]);

/** Ends a service by `/traceback`; `meanwhile` is run while it is gone. Its container must come back by itself. */
async function crash(name: ServiceName, meanwhile = async () => {}) {
  const before = await stack.container(name);
  expect(await get(name, "/traceback")).toBe("");
  await meanwhile();
  await waitUntil(`${name} serves again`, () => isServing(name));
  const after = await stack.container(name);
  expect(after.RestartCount).toBe(before.RestartCount + 1);
  expect(after.Id).toBe(before.Id);
  expect(Date.parse(after.State.StartedAt)).toBeGreaterThan(Date.parse(before.State.StartedAt));
}

test("make up shows both addresses with what they answer", () => {
  expect(shown).toBe(
    SERVICES.map((name) => `${name}  http://localhost:${stack.ports[name]}/\n${BODY[name]}`)
      .join("\n")
      .trim(),
  );
});

test.each([...SERVICES])("%s is healthy and answers", async (name) => {
  expect((await stack.container(name)).State.Health?.Status).toBe("healthy");
  expect(await isServing(name)).toBe(true);
});

test("the frontend was started once the backend was healthy", async () => {
  const [backend, frontend] = [await stack.container("api-backend"), await stack.container("api-frontend")];
  const started = Date.parse(frontend.State.StartedAt);
  const healthy = Date.parse(backend.State.Health?.Log[0]?.End ?? "");
  console.log(`the frontend waited ${started - Date.parse(backend.State.StartedAt)} ms for the backend`);
  expect(started).toBeGreaterThanOrEqual(healthy);
});

describe.each([...SERVICES])("the container of %s", (name) => {
  test("is shut in, and comes back by itself", async () => {
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

  test("has the service as its only process, so it is process 1 that answers", async () => {
    const { Id, State } = await stack.container(name);
    // A health probe is another process, for a moment.
    const isAlone = async () => {
      const [, ...processes] = (await runOrThrow(["docker", "top", Id, "-o", "pid"])).split("\n");
      return processes.length === 1 && Number(processes[0]) === State.Pid;
    };
    await waitUntil("it is the only process", isAlone, 5000);
    expect(await isServing(name)).toBe(true);
  });
});

test("the frontend has the subject's two variables", async () => {
  const { Env } = (await stack.container("api-frontend")).Config;
  expect(Env).toContainValues(["API_BACKEND_URL=api-backend", "API_BACKEND_PORT=8001"]);
});

test("make up again builds nothing and recreates nothing", async () => {
  const state = async () => {
    const containers = await Promise.all(SERVICES.map((name) => stack.container(name)));
    return containers.map(({ Id, Image, State }) => [Id, Image, State.StartedAt]);
  };
  const before = await state();
  const start = performance.now();
  await runOrThrow(["make", "up"], stack.env);
  console.log(`make up, with nothing changed: ${Math.round(performance.now() - start)} ms`);
  expect(await state()).toEqual(before);
});

test("after a crash of the backend the frontend is sound, without a restart of its own", async () => {
  const before = await stack.container("api-frontend");
  await crash("api-backend", async () => expect(await isServing("api-frontend")).toBe(true));
  const after = await stack.container("api-frontend");
  expect([after.RestartCount, after.State.StartedAt]).toEqual([before.RestartCount, before.State.StartedAt]);
});

test("after a crash the frontend serves again", () => crash("api-frontend"));

test.each([...SERVICES])("%s logs one JSON line for each event", async (name) => {
  const lines = await runOrThrow(["docker", "logs", (await stack.container(name)).Id]);
  const events = lines.split("\n").map((line) => JSON.parse(line));
  expect(events.filter(({ event }) => event !== "backend_call_failed")).toMatchObject([
    { event: "start", service: name, pid: 1, port: PORT[name] },
    { event: "crash", service: name },
    { event: "start", service: name, pid: 1, port: PORT[name] },
  ]);
});

test.each([...SERVICES].reverse())("docker stop ends %s within a second, with 0", async (name) => {
  const { Id } = await stack.container(name);
  const start = performance.now();
  await runOrThrow(["docker", "stop", Id]);
  const took = performance.now() - start;
  console.log(`docker stop ${name}: ${Math.round(took)} ms`);
  expect(took).toBeLessThan(1000);
  const { State } = JSON.parse(await runOrThrow(["docker", "inspect", Id]))[0];
  expect([State.Status, State.ExitCode]).toEqual(["exited", 0]);
});

test("make down leaves nothing of the stack", async () => {
  await runOrThrow(["make", "down"], stack.env);
  expect(await leftovers()).toBe("");
});
