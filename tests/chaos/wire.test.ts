// Bad input on the wire: thousands of generated requests, malformed or hostile, to both compiled executables.
// LAB_WIRE_SEED=<n> repeats the requests of an earlier run; LAB_CHAOS=full sends five times as many.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import fc from "fast-check";
import { BODY, SERVICES } from "../../lab/services.ts";
import {
  compileExecutables,
  folder,
  killServices,
  removeExecutables,
  type Service,
  startFrontend,
  startService,
} from "../../testing/executables.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { HOSTILE_REQUEST, type HostileRequest } from "./hostile-requests.ts";
import { parseResponses, sendHostile, TIMEOUT_MS, withTimeout } from "./raw-responses.ts";
import { FULL, report } from "./report.ts";

const REQUESTS = FULL ? 10_000 : 2_000;
const SEED = Number(process.env.LAB_WIRE_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Concurrent requests. */
const BATCH = 40;
const MEMORY_LIMIT_KIB = 256 * 1024;
/** RFC 9110, section 15, and RFC 6585, section 5. Of 5xx only "not implemented" and "version not supported". */
const ALLOWED_STATUSES = [100, 200, 204, 304, 400, 404, 405, 412, 413, 414, 417, 431, 501, 505];
const HEALTH = '{\n  "status": "ok"\n}\n';
/** Stack traces, file names and modules. */
const LEAK = /node_modules|elysia|\bbun|\.[cm]?[jt]s\b| {4}at |\/src\/|file:|Error:/i;

setDefaultTimeout(300_000);
beforeAll(compileExecutables);
afterAll(() => {
  killServices();
  removeExecutables();
});

/** How many responses had which status, or how many connections ended without one. */
type Tally = Record<string, number>;
const [LEFT, CLOSED] = ["left by the client", "closed without a response"];

/** Fails unless a normal client gets the exact responses, and soon. */
async function expectToServe({ port, name }: Service): Promise<void> {
  const get = (path: string) => withTimeout(TIMEOUT_MS.normal, `GET ${path}`, sendRaw(port, rawRequest("GET", path)));
  expect(parseResponses(await get("/"))).toEqual([{ status: 200, body: BODY[name] }]);
  expect(parseResponses(await get("/healthz"))).toEqual([{ status: 200, body: HEALTH }]);
}

/** Sends a request. Throws if a response is not allowed, or reveals internals. */
async function judge({ port, name }: Service, request: HostileRequest, tally: Tally = {}): Promise<void> {
  const received = await sendHostile(port, request);
  const leak = LEAK.exec(received)?.[0] ?? [folder, process.cwd()].find((path) => received.includes(path));
  if (leak !== undefined) throw new Error(`the response reveals ${JSON.stringify(leak)}: ${received}`);
  const responses = parseResponses(received, request.bytes.includes("HEAD"));
  for (const { status, body } of responses) {
    const isAllowed = ALLOWED_STATUSES.includes(status) && (status !== 200 || ["", BODY[name], HEALTH].includes(body));
    if (!isAllowed) throw new Error(`a wrong response: ${received}`);
    tally[status] = (tally[status] ?? 0) + 1;
  }
  const silence = request.end === "leave" || request.end === "reset" ? LEFT : CLOSED;
  if (responses.length === 0) tally[silence] = (tally[silence] ?? 0) + 1;
}

/** Sends a batch, from one index of the seed on, beside a normal client. If it fails, shrinks it to one request. */
async function sendBatch(service: Service, index: number, tally: Tally): Promise<void> {
  const parameters = { seed: SEED, path: String(index), numRuns: BATCH };
  try {
    const judged = fc.sample(HOSTILE_REQUEST, parameters).map((request) => judge(service, request, tally));
    for (const result of await Promise.allSettled([...judged, expectToServe(service)])) {
      if (result.status === "rejected") throw result.reason;
    }
    await expectToServe(service);
  } catch (error) {
    console.log(`${service.name}, requests ${index} to ${index + BATCH} of LAB_WIRE_SEED=${SEED}: ${error}`);
    const property = fc.asyncProperty(HOSTILE_REQUEST, (request) => judgeAlone(service, request));
    await fc.assert(property, { ...parameters, interruptAfterTimeLimit: 30_000, includeErrorInReport: true });
    throw new Error("none of these requests fails alone", { cause: error });
  }
}

/** Judges one request, sent to a process of its own. */
async function judgeAlone({ name, env }: Service, request: HostileRequest): Promise<void> {
  const { PORT: _, ...variables } = env;
  const service = await startService(name, variables);
  try {
    await Promise.all([judge(service, request), expectToServe(service)]);
    await expectToServe(service);
  } catch (error) {
    service.child.kill("SIGKILL");
    throw new Error(`${error}\n${await service.log}${await service.errors}`);
  } finally {
    service.child.kill("SIGKILL");
  }
}

const countSockets = (pid: number): number =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith("socket:")).length;

test.concurrent.each([...SERVICES])("%s survives hostile requests", async (name) => {
  // A backend for this frontend only: when it is killed, the frontend's pooled connections close.
  const backend = name === "api-frontend" ? await startService("api-backend") : undefined;
  const service = backend === undefined ? await startService(name) : await startFrontend(backend.port);
  const { child, log, errors } = service;
  const hasProc = existsSync(`/proc/${child.pid}/fd`);
  const idleSockets = hasProc ? countSockets(child.pid) : 0;
  const tally: Tally = {};
  const sendAll = async () => {
    for (let index = 0; index < REQUESTS; index += BATCH) await sendBatch(service, index, tally);
  };
  const incomplete = ["", "GET", rawRequest("GET", "/").slice(0, -2)];
  await Promise.all([sendAll(), ...incomplete.map((bytes) => judge(service, { bytes, chunkSize: 1, end: "wait" }))]);
  const { [LEFT]: left = 0, [CLOSED]: closed = 0, ...statuses } = tally;
  report("hostile", {
    ...{ service: name, connections: REQUESTS },
    "responses by status": Object.entries(statuses)
      .map(([status, count]) => `\`${status}\`: ${count}`)
      .join(", "),
    // The test fails at the first one.
    wrong: 0,
    ...{ [CLOSED]: closed, [LEFT]: left, seed: String(SEED) },
  });

  await expectToServe(service);
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  backend?.child.kill("SIGKILL");
  if (hasProc) {
    await waitUntil("its sockets are closed", () => countSockets(child.pid) <= idleSockets, 10_000);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    expect(Number(peak)).toBeLessThan(MEMORY_LIMIT_KIB);
  }
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(await errors).toBe("");
  expect((await log).match(/(?<="event":")\w+/g)).toEqual(["start", "stop"]);
});
