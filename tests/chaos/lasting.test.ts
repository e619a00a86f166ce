// Faults and loads that last for minutes: every request gets the expected response, and memory does not grow.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createConnection, type Socket } from "node:net";
import { firstUnexpected, LoadClient, type Sample } from "../../host/load.ts";
import { memoryMib } from "../../host/processes.ts";
import { BODY } from "../../lab/services.ts";
import {
  compileExecutables,
  killServices,
  removeExecutables,
  type Service,
  startBothServices,
  startFrontend,
  startService,
} from "../../testing/executables.ts";
import { rawRequest } from "../../testing/raw-http.ts";
import { FAULTY_BACKENDS, type FaultyBackend, listen } from "./faulty-backends.ts";
import { FULL, failureCells, report } from "./report.ts";

/** Requests or connections per second. */
const RATE = 300;
/** To tell that a body is too large, a MiB of it is read, and more than 150 of these per second take more than a core. */
const RATES: Record<string, number> = { "sends chunks without end": 100 };
const FAULT_S = FULL ? 180 : 30;
const LOAD_S = 300;
/** Limit of a service's private memory at any time. */
const MEMORY_LIMIT_MIB = 128;
/**
 * How far the lowest value of the last quarter may exceed the third's. Not the peak: garbage collection makes memory
 * rise and fall by 30 MiB, and in the short run a quarter has 7 samples only.
 */
const GROWTH_LIMIT_MIB = FULL ? 10 : 20;

setDefaultTimeout(10 * 60_000);
beforeAll(compileExecutables);
afterAll(() => {
  killServices();
  removeExecutables();
});

/** The private memory in each quarter of a load, in MiB. */
interface Memory {
  readonly peaks: number[];
  readonly lows: number[];
}

/** Waits for a load, and samples the private memory of a service every second meanwhile. */
async function memoryDuring<T>({ child }: Service, load: Promise<T>): Promise<{ result: T; memory: Memory }> {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(memoryMib([child.pid]).private), 1000);
  try {
    const result = await load;
    const border = (quarter: number) => Math.floor((quarter * samples.length) / 4);
    const quarters = [0, 1, 2, 3].map((quarter) => samples.slice(border(quarter), border(quarter + 1)));
    const memory = {
      peaks: quarters.map((part) => Math.max(...part)),
      lows: quarters.map((part) => Math.min(...part)),
    };
    return { result, memory };
  } finally {
    clearInterval(timer);
  }
}

/** Fails if memory has grown or the service has crashed; stops it. */
async function expectHealthy({ child, errors, events }: Service, { peaks, lows }: Memory): Promise<void> {
  const [, , third = 0, last = 0] = lows;
  expect(Math.max(...peaks)).toBeLessThan(MEMORY_LIMIT_MIB);
  expect(last).toBeLessThan(third + GROWTH_LIMIT_MIB);
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(await errors).toBe("");
  expect((await events()).filter(({ event }) => event === "crash")).toEqual([]);
}

function reportLoad(fault: string, seconds: number, expected: string, { peaks }: Memory, samples?: Sample[]) {
  const responses = samples && {
    "as expected": samples.filter(({ outcome }) => outcome === "expected").length,
    ...failureCells(samples),
  };
  report("lasting", {
    ...{ "fault or load": fault, seconds, requests: samples?.length ?? RATE * seconds, expected, ...responses },
    "private memory, peak of each quarter, MiB": peaks.map(Math.round).join(", "),
  });
}

const KINDS = FULL ? Object.keys(FAULTY_BACKENDS) : ["never answers"];

async function lastingFault(kind: string): Promise<void> {
  const { behavior, expected } = FAULTY_BACKENDS[kind] as FaultyBackend;
  const { server, port } = await listen(behavior);
  const frontend = await startFrontend(port);
  const client = new LoadClient(frontend.port, (status, body) => status === expected[0] && body === expected[1]);
  const { result, memory } = await memoryDuring(frontend, client.load(RATES[kind] ?? RATE, FAULT_S));
  client.close();
  server.close();
  reportLoad(`a backend that ${kind}`, FAULT_S, `\`${expected[0]}\``, memory, result);
  expect(firstUnexpected(result)).toBeUndefined();
  await expectHealthy(frontend, memory);
}

/** These keep more than a core busy: they run alone, the others side by side. */
const HEAVY = [
  "resets the connection in the middle of the body",
  "closes without a response",
  "sends chunks without end",
];

for (const kind of KINDS) {
  const run = HEAVY.includes(kind) ? test.serial : test.concurrent;
  run(`a backend that ${kind} for minutes does not make memory grow`, () => lastingFault(kind));
}

test.concurrent.skipIf(!FULL)("minutes of normal load do not make memory grow", async () => {
  const name = "api-frontend";
  const service = (await startBothServices())[name];
  const client = new LoadClient(service.port, (status, body) => status === 200 && body === BODY[name]);
  const { result, memory } = await memoryDuring(service, client.load(RATE, LOAD_S));
  client.close();
  reportLoad(`normal load of ${name}`, LOAD_S, "`200`", memory, result);
  expect(firstUnexpected(result)).toBeUndefined();
  await expectHealthy(service, memory);
});

const RESET_AFTER_MS = 200;

/** Opens `RATE` connections per second, calls `onOpen` with each, and resets it after `RESET_AFTER_MS`. */
async function openConnections(port: number, seconds: number, onOpen: (socket: Socket) => void) {
  const open = () => {
    const socket = createConnection(port, "127.0.0.1", () => onOpen(socket)).on("error", () => {});
    setTimeout(() => socket.resetAndDestroy(), RESET_AFTER_MS);
  };
  const begin = performance.now();
  for (let opened = 0; opened < RATE * seconds; await Bun.sleep(2)) {
    const due = Math.min(RATE * seconds, Math.floor(((performance.now() - begin) / 1000) * RATE));
    for (; opened < due; opened++) open();
  }
  await Bun.sleep(RESET_AFTER_MS);
}

const REQUEST = rawRequest("GET", "/");
const CASES = [
  ["api-backend", "nothing", ""],
  ["api-backend", "half a request", REQUEST.slice(0, 20)],
  ["api-frontend", "a request", REQUEST],
] as const;

test.concurrent.skipIf(!FULL).each(CASES)(
  "%s: clients that send %s and reset the connection do not make memory grow",
  async (name, sent, bytes) => {
    // The backend never answers, so every request of the frontend is in flight when its client leaves.
    const silent = await listen(() => {});
    const service = name === "api-backend" ? await startService(name) : await startFrontend(silent.port);
    const load = openConnections(service.port, LOAD_S, (socket) => socket.write(bytes));
    const { memory } = await memoryDuring(service, load);
    silent.server.close();
    const fault = `clients of ${name} send ${sent}, and reset the connection after ${RESET_AFTER_MS} ms`;
    reportLoad(fault, LOAD_S, "none: the client leaves", memory);
    await expectHealthy(service, memory);
  },
);
