// What a bad backend does to the frontend: the contract's answer within the budget, and nothing else.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { BUDGET_MS } from "../../api-frontend/backend.ts";
import { MAX_BODY } from "../../api-frontend/response.ts";
import { compile, endAll, remove, startFrontend } from "../executables.ts";
import { BODY, until } from "../support.ts";
import { Requester, type Sample } from "./load.ts";
import { FULL, ms, report, rowOf } from "./report.ts";

/** At once, one burst after the other. */
const BURST = 64;
const BURSTS = FULL ? 10 : 3;
/** At once, of large answers. */
const CROWD = FULL ? 1000 : 300;
const MEMORY_MIB = 256;

beforeAll(compile);
afterAll(() => {
  endAll();
  remove();
});

const BACKEND = BODY["api-backend"];
const OK = "HTTP/1.1 200 OK\r\n";
const answer = (head: string, body = "") => `${head}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
const bytes = (text: string) => (connection: Socket) => connection.write(text);

/** Writes a piece again and again until the other side closes. */
const forever = (head: string, piece: string) => (connection: Socket) => {
  const more = () => {
    while (!connection.destroyed && connection.write(piece));
  };
  connection.write(head);
  connection.on("drain", more);
  more();
};

/** Takes a moment for each answer, and keeps the connection. */
function aloneOnly() {
  const busy = new WeakSet<Socket>();
  return (connection: Socket, request: Buffer) => {
    if (busy.has(connection) || request.indexOf("GET ", 1) > 0) return connection.destroy();
    busy.add(connection);
    return setTimeout(() => {
      busy.delete(connection);
      connection.write(`${OK}content-length: ${BACKEND.length}\r\n\r\n${BACKEND}`);
    }, 2);
  };
}

const message = (text: string) => `{\n  "error_message": "${text}",\n  "status": "[ERROR]"\n}\n`;
const error = (status: number, why: string): [number, string] => [status, message(`GET / on backend API${why}`)];
const SILENT = error(504, `: no answer within ${BUDGET_MS / 1000} s`);
const CUT = error(502, ": connection closed before the answer was complete");
const LARGE = error(502, ": the answer is larger than 1 MiB");

type Does = (connection: Socket, request: Buffer) => unknown;

/** What it does with each request, and what the frontend makes of it. */
interface Bad {
  readonly does: Does;
  readonly expected: [number, string];
}
const BAD: Record<string, Bad> = {
  "never answers": { does: () => {}, expected: SILENT },
  "answers half and hangs": { does: bytes(`${OK}content-length: 10\r\n\r\n[1,`), expected: SILENT },
  "resets amid the body": {
    does: (connection) => connection.write(`${OK}content-length: 10\r\n\r\n[1,`, () => connection.resetAndDestroy()),
    expected: CUT,
  },
  "closes without an answer": { does: (connection) => connection.destroy(), expected: CUT },
  "answers 500": {
    does: bytes(answer("HTTP/1.1 500 Internal Server Error\r\n", "<html>")),
    expected: error(502, " 500"),
  },
  "redirects to itself": { does: bytes(answer("HTTP/1.1 301 Moved\r\nlocation: /\r\n")), expected: error(502, " 301") },
  "sends chunks for ever": {
    does: forever(`${OK}transfer-encoding: chunked\r\n\r\n`, `4000\r\n${" ".repeat(0x4000)}\r\n`),
    expected: LARGE,
  },
  "sends 200 MB": { does: forever(`${OK}content-length: 200000000\r\n\r\n`, " ".repeat(0x4000)), expected: LARGE },
  "answers what is no JSON": { does: bytes(answer(OK, "{'a': 1}")), expected: error(502, ": the answer is not JSON") },
  "sends a head of 1 MB": {
    does: bytes(answer(`${OK}x: ${"a".repeat(1e6)}\r\n`)),
    expected: error(502, ": the head is larger than 16 KiB"),
  },
  "speaks another protocol": {
    does: bytes("SSH-2.0-OpenSSH\r\n\r\n"),
    expected: error(502, ": the head is not valid"),
  },
  // As Bun itself does while a handler waits.
  "closes at a second request before its answer": {
    does: aloneOnly(),
    expected: [200, BODY["api-frontend"]],
  },
  "closes each connection": {
    does: (connection) => connection.end(answer(OK, BACKEND)),
    expected: [200, BODY["api-frontend"]],
  },
};

/** The connections that are open to a port of this machine: proc_pid_net(5); 01 is ESTABLISHED. */
const connectionsTo = (port: number): number =>
  readFileSync("/proc/self/net/tcp", "utf8").match(
    new RegExp(`^ *\\d+: \\S+ 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 01 `, "gm"),
  )?.length ?? 0;

/** Listens, and does this with each request. */
async function listen(does: (connection: Socket, request: Buffer) => unknown) {
  const server = createServer((connection) =>
    connection.on("error", () => {}).on("data", (data) => does(connection, data as Buffer)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

/** Asks a frontend whose backend does this, one burst after the other, and looks at it afterwards. */
async function attack(does: Does, rightful: [number, string][], bursts: number[]) {
  const { server, port } = await listen(does);
  const frontend = await startFrontend(port);
  const client = new Requester(frontend.port, (status, body) =>
    rightful.some((one) => one[0] === status && one[1] === body),
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
    await until("no connection is left in use", () => connectionsTo(port) <= BURST, 5000);
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

test.concurrent.each(Object.keys(BAD))("a backend that %s", async (kind) => {
  const { does, expected } = BAD[kind] as Bad;
  const { samples, slowest, peak, events } = await attack(does, [expected], Array(BURSTS).fill(BURST));
  report(rowOf(`a backend that ${kind}`, samples, `answered \`${expected[0]}\`, the slowest after ${ms(slowest)}`));
  expect(wrong(samples)).toBeUndefined();
  expect(slowest).toBeLessThan(BUDGET_MS + 1000);
  expect(peak).toBeLessThan(MEMORY_MIB);
  const failures = expected[0] === 200 ? [] : ["backend_call_failed"];
  expect(events).toEqual(["start", ...failures, "stop"]);
});

const MIB = `"${"a".repeat(MAX_BODY - 2)}"`;

/** All of 1 MiB: more at a time than there is room for. */
const LARGE_ANSWERS: Record<string, Does> = {
  "as long as announced": bytes(`${OK}content-length: ${MAX_BODY}\r\n\r\n${MIB}`),
  "in chunks": bytes(`${OK}transfer-encoding: chunked\r\n\r\n${MIB.replace(/.{16384}/g, "4000\r\n$&\r\n")}0\r\n\r\n`),
  "up to the close": (connection) => connection.end(`${OK}\r\n${MIB}`),
};

// One after the other: the test itself moves as many bytes as the frontend.
test.each(Object.keys(LARGE_ANSWERS))("a crowd of large answers, %s", async (kind) => {
  const right: [number, string] = [200, `{\n  "return": ${MIB},\n  "status": "[SUCESS]"\n}\n`];
  const refused: [number, string] = [503, message("too many large answers of the backend at a time")];
  const { samples, peak } = await attack(LARGE_ANSWERS[kind] as Does, [right, refused, SILENT], [CROWD]);
  const answered = samples.filter(({ answer }) => answer.startsWith("HTTP/1.1 200 ")).length;
  const note = `${answered} answered \`200\`, the others \`503\` or \`504\`; at most ${Math.round(peak)} MiB of 256`;
  report(rowOf(`${CROWD} answers of 1 MiB at a time, ${kind}`, samples, note));
  expect(wrong(samples)).toBeUndefined();
  expect(answered).toBeGreaterThan(0);
  expect(peak).toBeLessThan(MEMORY_MIB);
});
