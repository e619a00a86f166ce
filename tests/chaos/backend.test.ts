// Faulty backends: the frontend sends what the contract demands within its time budget, and keeps its memory bounded.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { BUDGET_MS } from "../../api-frontend/backend.ts";
import { firstUnexpected, LoadClient, type Sample, slowest } from "../../host/load.ts";
import { DEFAULT_LIMITS } from "../../http-client/limits.ts";
import { compileExecutables, killServices, removeExecutables, startFrontend } from "../../testing/executables.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import {
  type Behavior,
  type Expected,
  errorBody,
  FAULTY_BACKENDS,
  type FaultyBackend,
  listen,
  OK,
  send,
  TIMED_OUT,
} from "./faulty-backends.ts";
import { FULL, formatMs, report, requestCells } from "./report.ts";

/** Concurrent requests in a burst. */
const BURST = 64;
const BURSTS = FULL ? 10 : 3;
/** Concurrent requests for large responses. */
const LARGE_BURST = FULL ? 1000 : 300;
const MEMORY_LIMIT_MIB = 256;
/** More faulty backends at a time would keep two cores so busy that responses miss their deadline. */
const CONCURRENT_TESTS = 4;

setDefaultTimeout(300_000);
beforeAll(compileExecutables);
afterAll(() => {
  killServices();
  removeExecutables();
});

/** How many connections to a port of 127.0.0.1 are established: proc_pid_net(5). */
const connectionsTo = (port: number): number =>
  readFileSync("/proc/self/net/tcp", "utf8").match(
    new RegExp(`^ *\\d+: \\S+ 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 01 `, "gm"),
  )?.length ?? 0;

/** Sends bursts to a frontend with this backend. `peak` is the frontend's largest resident memory in MiB. */
async function sendBursts(behavior: Behavior, allowed: readonly Expected[], bursts: readonly number[]) {
  const { server, port } = await listen(behavior);
  const frontend = await startFrontend(port);
  const client = new LoadClient(frontend.port, (status, body) =>
    allowed.some((expected) => expected[0] === status && expected[1] === body),
  );
  const samples: Sample[] = [];
  for (const burst of bursts) {
    samples.push(...(await Promise.all(Array.from({ length: burst }, () => client.request()))));
  }
  client.close();
  server.close();
  let peak = 0;
  if (existsSync("/proc/self")) {
    // Only pooled connections may remain.
    await waitUntil("no connection is left in use", () => connectionsTo(port) <= BURST, 5000);
    const status = readFileSync(`/proc/${frontend.child.pid}/status`, "utf8");
    peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }
  frontend.child.kill("SIGTERM");
  expect(await frontend.child.exited).toBe(0);
  expect(await frontend.errors).toBe("");
  const events = [...new Set((await frontend.events()).map(({ event }) => event))];
  return { samples, peak, events };
}

let running = 0;
const waiting: (() => void)[] = [];

/** Limits concurrency to `CONCURRENT_TESTS`; Bun's own default is 20. */
async function inTurn<T>(task: () => Promise<T>): Promise<T> {
  while (running >= CONCURRENT_TESTS) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  return task().finally(() => {
    running--;
    waiting.shift()?.();
  });
}

test.concurrent.each(Object.keys(FAULTY_BACKENDS))("a backend that %s", async (kind) => {
  const { behavior, expected } = FAULTY_BACKENDS[kind] as FaultyBackend;
  const bursts = Array(BURSTS).fill(BURST);
  const { samples, peak, events } = await inTurn(() => sendBursts(behavior, [expected], bursts));
  const notes = `slowest response after ${formatMs(slowest(samples))}`;
  report("survived", requestCells(`a backend that ${kind}`, `\`${expected[0]}\``, samples, notes));
  expect(firstUnexpected(samples)).toBeUndefined();
  expect(slowest(samples)).toBeLessThan(BUDGET_MS + 1000);
  expect(peak).toBeLessThan(MEMORY_LIMIT_MIB);
  const failures = expected[0] === 200 ? [] : ["backend_call_failed"];
  expect(events).toEqual(["start", ...failures, "stop"]);
});

const LARGE_BODY = `"${"a".repeat(DEFAULT_LIMITS.maxBody - 2)}"`;

/** Bodies of the largest accepted size: more of them at a time than the frontend has memory for. */
const LARGE_RESPONSES: Record<string, Behavior> = {
  "with a content-length": send(`${OK}content-length: ${DEFAULT_LIMITS.maxBody}\r\n\r\n${LARGE_BODY}`),
  chunked: send(`${OK}transfer-encoding: chunked\r\n\r\n${LARGE_BODY.replace(/.{16384}/g, "4000\r\n$&\r\n")}0\r\n\r\n`),
  "ended by the close of the connection": (connection) => connection.end(`${OK}\r\n${LARGE_BODY}`),
};

// One after the other: this process moves as many bytes as the frontend.
test.each(Object.keys(LARGE_RESPONSES))("many large responses at a time, %s", async (kind) => {
  const complete: Expected = [200, `{\n  "return": ${LARGE_BODY},\n  "status": "[SUCESS]"\n}\n`];
  const refused: Expected = [503, errorBody("too many large answers at the same time")];
  const allowed = [complete, refused, TIMED_OUT];
  const { samples, peak } = await sendBursts(LARGE_RESPONSES[kind] as Behavior, allowed, [LARGE_BURST]);
  const fault = `${LARGE_BURST} responses of 1 MiB at a time from the backend, ${kind}`;
  const expected = "`200`, or `503` or `504` if there is no memory for it";
  const notes = `peak of memory ${Math.round(peak)} MiB of ${MEMORY_LIMIT_MIB}`;
  report("frontend", requestCells(fault, expected, samples, notes));
  expect(firstUnexpected(samples)).toBeUndefined();
  expect(samples.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
  expect(peak).toBeLessThan(MEMORY_LIMIT_MIB);
});
