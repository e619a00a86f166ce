// Faults, and loads, that last: memory must not grow with the requests that were answered, and each is answered.

import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { createConnection, type Socket } from "node:net";
import { memoryMib } from "../../host/processes.ts";
import {
  compileExecutables,
  killServices,
  removeExecutables,
  type Service,
  startFrontend,
  startService,
} from "../../testing/executables.ts";
import { rawRequest } from "../../testing/raw-http.ts";
import { BODY, type ServiceName } from "../../testing/services.ts";
import { FAULTY_BACKENDS, type FaultyBackend, listen } from "./faulty-backends.ts";
import { Requester, type Sample } from "./load.ts";
import { FULL, report, rowOf } from "./report.ts";

/** Requests a second. */
const RATE = 300;
/** Seconds that a fault lasts, and a load of right answers. */
const FAULT_SECONDS = FULL ? 180 : 30;
const LOAD_SECONDS = 300;
/** Private memory in MiB: what a service may hold at any time. */
const MOST = 128;
/** What the peak of the last quarter may exceed that of the third by, in MiB: the collector's saw-tooth. */
const GROWTH = 10;
const MINUTES = 60_000;

beforeAll(compileExecutables);
afterEach(killServices);
afterAll(removeExecutables);

/** Runs a load and gives what it gave, with the private memory of a process in the meantime, a sample a second. */
async function underLoad<T>({ child }: Service, load: Promise<T>): Promise<{ result: T; memory: number[] }> {
  const memory: number[] = [];
  const timer = setInterval(() => memory.push(memoryMib([child.pid]).private), 1000);
  try {
    return { result: await load, memory };
  } finally {
    clearInterval(timer);
  }
}

/** The peak of each quarter. */
const quarters = (memory: readonly number[]): number[] =>
  [0, 1, 2, 3].map((nth) =>
    Math.max(...memory.slice(Math.floor((nth * memory.length) / 4), Math.floor(((nth + 1) * memory.length) / 4))),
  );

/** Judges a process that has been under load, and ends it. */
async function expectSound({ child, errors, events }: Service, peaks: readonly number[]): Promise<void> {
  const [, , third = 0, last = 0] = peaks;
  expect(Math.max(...peaks)).toBeLessThan(MOST);
  expect(last).toBeLessThan(third + GROWTH);
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(await errors).toBe("");
  expect((await events()).filter(({ event }) => event === "crash")).toEqual([]);
}

const show = (peaks: readonly number[]) =>
  `private memory, peak of each quarter: ${peaks.map(Math.round).join(", ")} MiB`;
const wrong = (samples: readonly Sample[]) => samples.find(({ outcome }) => outcome !== "right");

async function lasting(kind: string, { behavior, expected: [status, body] }: FaultyBackend) {
  const { server, port } = await listen(behavior);
  const frontend = await startFrontend(port);
  const client = new Requester(frontend.port, (...answer) => answer[0] === status && answer[1] === body);
  const { result, memory } = await underLoad(frontend, client.load(RATE, FAULT_SECONDS));
  client.close();
  server.close();
  const peaks = quarters(memory);
  report(rowOf(`for ${FAULT_SECONDS} s, ${RATE}/s: a backend that ${kind}`, result, show(peaks)));
  expect(wrong(result)).toBeUndefined();
  await expectSound(frontend, peaks);
}

const KINDS = FULL ? Object.keys(FAULTY_BACKENDS) : ["never answers"];

test.each(KINDS)(
  "a backend that %s, for minutes",
  (kind) => lasting(kind, FAULTY_BACKENDS[kind] as FaultyBackend),
  10 * MINUTES,
);

async function startBoth() {
  const backend = await startService("api-backend");
  return { "api-backend": backend, "api-frontend": await startFrontend(backend.port) };
}

test.skipIf(!FULL).each(["api-backend", "api-frontend"] as ServiceName[])(
  "%s: right answers, for minutes",
  async (name) => {
    const service = (await startBoth())[name];
    const client = new Requester(service.port, (status, body) => status === 200 && body === BODY[name]);
    const { result, memory } = await underLoad(service, client.load(RATE, LOAD_SECONDS));
    client.close();
    const peaks = quarters(memory);
    report(rowOf(`for ${LOAD_SECONDS} s, ${RATE}/s: ${name}, right answers`, result, show(peaks)));
    expect(wrong(result)).toBeUndefined();
    await expectSound(service, peaks);
  },
  10 * MINUTES,
);

/** Opens `RATE` connections a second, does this with each, and closes it after a while, in milliseconds. */
async function connections(port: number, seconds: number, behavior: (socket: Socket) => void, after: number) {
  const open = () => {
    const socket = createConnection(port, "127.0.0.1", () => behavior(socket)).on("error", () => {});
    setTimeout(() => socket.resetAndDestroy(), after);
  };
  const begin = performance.now();
  for (let opened = 0; opened < RATE * seconds; await Bun.sleep(2)) {
    const due = Math.min(RATE * seconds, Math.floor(((performance.now() - begin) / 1000) * RATE));
    for (; opened < due; opened++) open();
  }
  await Bun.sleep(after);
}

const BYTES = {
  "opened and closed": "",
  "half a request": rawRequest("GET", "/").slice(0, 20),
  "a request, not waited for": rawRequest("GET", "/"),
};

test
  .skipIf(!FULL)
  .each(
    (["api-backend", "api-frontend"] as ServiceName[]).flatMap((name) =>
      Object.entries(BYTES).map(([what, bytes]) => [name, what, bytes] as const),
    ),
  )(
  "%s: connections, each with %s, for minutes",
  async (name, what, bytes) => {
    // A frontend whose backend never answers: each call is under way when its client leaves.
    const silent = await listen(() => {});
    const service = name === "api-backend" ? await startService(name) : await startFrontend(silent.port);
    const { memory } = await underLoad(
      service,
      connections(service.port, LOAD_SECONDS, (socket) => socket.write(bytes), 200),
    );
    silent.server.close();
    const peaks = quarters(memory);
    report({
      fault: `for ${LOAD_SECONDS} s, ${RATE}/s: connections to ${name}, ${what}`,
      sent: RATE * LOAD_SECONDS,
      failed: 0,
      lost: 0,
      note: show(peaks),
    });
    await expectSound(service, peaks);
  },
  10 * MINUTES,
);
