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
const MEMORY_KIB = 256 * 1024;

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

const MIB = `"${"a".repeat(MAX_BODY - 2)}"`;

/** What it does with each request, and what the frontend makes of it; some of many it may refuse. */
interface Bad {
  readonly does: (connection: Socket, request: Buffer) => unknown;
  readonly expected: [number, string];
  readonly refused?: [number, string];
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
  "answers 1 MiB to each": {
    does: bytes(answer(OK, MIB)),
    expected: [200, `{\n  "return": ${MIB},\n  "status": "[SUCESS]"\n}\n`],
    refused: [503, message("too many large answers of the backend at a time")],
  },
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

test.concurrent.each(Object.keys(BAD))("a backend that %s", async (kind) => {
  const { does, expected, refused } = BAD[kind] as Bad;
  const { server, port } = await listen(does);
  const frontend = await startFrontend(port);
  const rightful = refused === undefined ? [expected] : [expected, refused];
  const client = new Requester(frontend.port, (status, body) =>
    rightful.some((one) => one[0] === status && one[1] === body),
  );

  const samples: Sample[] = [];
  for (let i = 0; i < BURSTS; i++) {
    samples.push(...(await Promise.all(Array.from({ length: BURST }, () => client.ask()))));
  }
  client.close();
  server.close();
  const slowest = Math.max(...samples.map((sample) => sample.ms));
  const answered = rightful.map(([status]) => `\`${status}\``).join(" or ");
  report(rowOf(`a backend that ${kind}`, samples, `answered ${answered}, the slowest after ${ms(slowest)}`));
  expect(samples.find(({ outcome }) => outcome !== "right")).toBeUndefined();
  expect(slowest).toBeLessThan(BUDGET_MS + 1000);

  if (existsSync(`/proc/${frontend.child.pid}`)) {
    // None but those that are kept for later.
    const kept = expected[0] === 200 ? BURST : 0;
    await until("no connection is left in use", () => connectionsTo(port) <= kept, 5000);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${frontend.child.pid}/status`, "utf8"))?.[1];
    expect(Number(peak)).toBeLessThan(MEMORY_KIB);
  }
  frontend.child.kill("SIGTERM");
  expect(await frontend.child.exited).toBe(0);
  expect(await frontend.errors).toBe("");
  const events = (await frontend.events()).map(({ event }) => event);
  expect([...new Set(events)].filter((event) => event !== "backend_call_failed" || refused === undefined)).toEqual(
    expected[0] === 200 ? ["start", "stop"] : ["start", "backend_call_failed", "stop"],
  );
});
