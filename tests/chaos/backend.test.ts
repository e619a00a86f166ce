// What a faulty backend does to the frontend: the contract's answer within the budget, and nothing else.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { BUDGET_MS } from "../../api-frontend/backend.ts";
import { MAX_BODY } from "../../http-client/answers.ts";
import { compileExecutables, killServices, removeExecutables, startFrontend } from "../../testing/executables.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import {
  type Behavior,
  bytes,
  errorBody,
  FAULTY_BACKENDS,
  type FaultyBackend,
  listen,
  OK,
  SILENT,
} from "./faulty-backends.ts";
import { Requester, type Sample } from "./load.ts";
import { FULL, ms, report, rowOf } from "./report.ts";

/** At once, one burst after the other. */
const BURST = 64;
const BURSTS = FULL ? 10 : 3;
/** At once, of large answers. */
const CROWD = FULL ? 1000 : 300;
const MEMORY_MIB = 256;

beforeAll(compileExecutables);
afterAll(() => {
  killServices();
  removeExecutables();
});

/** The connections that are open to a port of this machine: proc_pid_net(5); 01 is ESTABLISHED. */
const connectionsTo = (port: number): number =>
  readFileSync("/proc/self/net/tcp", "utf8").match(
    new RegExp(`^ *\\d+: \\S+ 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 01 `, "gm"),
  )?.length ?? 0;

/** Asks a frontend whose backend behaves so, one burst after the other, and looks at it afterwards. */
async function attack(behavior: Behavior, allowed: [number, string][], bursts: number[]) {
  const { server, port } = await listen(behavior);
  const frontend = await startFrontend(port);
  const client = new Requester(frontend.port, (status, body) =>
    allowed.some((one) => one[0] === status && one[1] === body),
  );
  const samples: Sample[] = [];
  for (const burst of bursts) {
    samples.push(...(await Promise.all(Array.from({ length: burst }, () => client.ask()))));
  }
  client.close();
  server.close();
  let peak = 0;
  if (existsSync("/proc/self")) {
    // None but those that are kept for later.
    await waitUntil("no connection is left in use", () => connectionsTo(port) <= BURST, 5000);
    const status = readFileSync(`/proc/${frontend.child.pid}/status`, "utf8");
    peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }
  frontend.child.kill("SIGTERM");
  expect(await frontend.child.exited).toBe(0);
  expect(await frontend.errors).toBe("");
  const events = [...new Set((await frontend.events()).map(({ event }) => event))];
  return { samples, slowest: Math.max(...samples.map((sample) => sample.ms)), peak, events };
}

const wrong = (samples: Sample[]) => samples.find(({ outcome }) => outcome !== "right");

test.concurrent.each(Object.keys(FAULTY_BACKENDS))("a backend that %s", async (kind) => {
  const { behavior, expected } = FAULTY_BACKENDS[kind] as FaultyBackend;
  const { samples, slowest, peak, events } = await attack(behavior, [expected], Array(BURSTS).fill(BURST));
  report(rowOf(`a backend that ${kind}`, samples, `answered \`${expected[0]}\`, the slowest after ${ms(slowest)}`));
  expect(wrong(samples)).toBeUndefined();
  expect(slowest).toBeLessThan(BUDGET_MS + 1000);
  expect(peak).toBeLessThan(MEMORY_MIB);
  const failures = expected[0] === 200 ? [] : ["backend_call_failed"];
  expect(events).toEqual(["start", ...failures, "stop"]);
});

const MIB = `"${"a".repeat(MAX_BODY - 2)}"`;

/** All of 1 MiB: more at a time than there is room for. */
const LARGE_ANSWERS: Record<string, Behavior> = {
  "as long as announced": bytes(`${OK}content-length: ${MAX_BODY}\r\n\r\n${MIB}`),
  "in chunks": bytes(`${OK}transfer-encoding: chunked\r\n\r\n${MIB.replace(/.{16384}/g, "4000\r\n$&\r\n")}0\r\n\r\n`),
  "up to the close": (connection) => connection.end(`${OK}\r\n${MIB}`),
};

// One after the other: the test itself moves as many bytes as the frontend.
test.each(Object.keys(LARGE_ANSWERS))("a crowd of large answers, %s", async (kind) => {
  const right: [number, string] = [200, `{\n  "return": ${MIB},\n  "status": "[SUCESS]"\n}\n`];
  const refused: [number, string] = [503, errorBody("too many large answers of the backend at a time")];
  const { samples, peak } = await attack(LARGE_ANSWERS[kind] as Behavior, [right, refused, SILENT], [CROWD]);
  const answered = samples.filter(({ answer }) => answer.startsWith("HTTP/1.1 200 ")).length;
  const note = `${answered} answered \`200\`, the others \`503\` or \`504\`; at most ${Math.round(peak)} MiB of 256`;
  report(rowOf(`${CROWD} answers of 1 MiB at a time, ${kind}`, samples, note));
  expect(wrong(samples)).toBeUndefined();
  expect(answered).toBeGreaterThan(0);
  expect(peak).toBeLessThan(MEMORY_MIB);
});
