// Backends with one fault each, down to the bytes.

import { type AddressInfo, createServer, type Socket } from "node:net";
import { BUDGET_MS } from "../../api-frontend/backend.ts";
import { BODY } from "../../lab/services.ts";

/** What a backend does when it receives (a part of) a request. */
export type Behavior = (connection: Socket, request: Buffer) => unknown;

/** Status and body. */
export type Expected = readonly [number, string];

export interface FaultyBackend {
  readonly behavior: Behavior;
  /** The response of its frontend that the contract demands. */
  readonly expected: Expected;
}

const BACKEND = BODY["api-backend"];
const FRONTEND: Expected = [200, BODY["api-frontend"]];
export const OK = "HTTP/1.1 200 OK\r\n";
const response = (head: string, body = "") =>
  `${head}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
export const send =
  (text: string): Behavior =>
  (connection) =>
    connection.write(text);

/** Repeats a piece until the other side closes. */
const sendEndlessly =
  (head: string, piece: string): Behavior =>
  (connection) => {
    const fill = () => {
      while (!connection.destroyed && connection.write(piece));
    };
    connection.write(head);
    connection.on("drain", fill);
    fill();
  };

/** Closes a connection on which a second request arrives before it has answered the first, after 2 ms. */
function refusePipelining(): Behavior {
  const busy = new WeakSet<Socket>();
  return (connection, request) => {
    if (busy.has(connection) || request.indexOf("GET ", 1) > 0) return connection.destroy();
    busy.add(connection);
    return setTimeout(() => {
      busy.delete(connection);
      connection.write(`${OK}content-length: ${BACKEND.length}\r\n\r\n${BACKEND}`);
    }, 2);
  };
}

export const errorBody = (message: string) => `{\n  "error_message": "${message}",\n  "status": "[ERROR]"\n}\n`;
const error = (status: number, reason: string): Expected => [status, errorBody(`GET / on backend API${reason}`)];
export const TIMED_OUT = error(504, `: no answer within ${BUDGET_MS / 1000} s`);
const INCOMPLETE = error(502, ": connection closed before the answer was complete");
const TOO_LARGE = error(502, ": the answer is larger than 1 MiB");

export const FAULTY_BACKENDS: Record<string, FaultyBackend> = {
  "never answers": { behavior: () => {}, expected: TIMED_OUT },
  "sends half a response and hangs": {
    behavior: send(`${OK}content-length: 10\r\n\r\n[1,`),
    expected: TIMED_OUT,
  },
  "resets the connection in the middle of the body": {
    behavior: (connection) =>
      connection.write(`${OK}content-length: 10\r\n\r\n[1,`, () => connection.resetAndDestroy()),
    expected: INCOMPLETE,
  },
  "closes without a response": { behavior: (connection) => connection.destroy(), expected: INCOMPLETE },
  "answers 500": {
    behavior: send(response("HTTP/1.1 500 Internal Server Error\r\n", "<html>")),
    expected: error(502, " 500"),
  },
  "redirects to itself": {
    behavior: send(response("HTTP/1.1 301 Moved\r\nlocation: /\r\n")),
    expected: error(502, " 301"),
  },
  "sends chunks without end": {
    behavior: sendEndlessly(`${OK}transfer-encoding: chunked\r\n\r\n`, `4000\r\n${" ".repeat(0x4000)}\r\n`),
    expected: TOO_LARGE,
  },
  "sends 200 MB": {
    behavior: sendEndlessly(`${OK}content-length: 200000000\r\n\r\n`, " ".repeat(0x4000)),
    expected: TOO_LARGE,
  },
  "sends invalid JSON": {
    behavior: send(response(OK, "{'a': 1}")),
    expected: error(502, ": the answer is not JSON"),
  },
  "sends a head of 1 MB": {
    behavior: send(response(`${OK}x: ${"a".repeat(1e6)}\r\n`)),
    expected: error(502, ": the head is larger than 16 KiB"),
  },
  "speaks another protocol": {
    behavior: send("SSH-2.0-OpenSSH\r\n\r\n"),
    expected: error(502, ": the head is not valid"),
  },
  // Bun.serve does so while a handler waits.
  "closes the connection on a pipelined request": { behavior: refusePipelining(), expected: FRONTEND },
  "closes the connection after each response": {
    behavior: (connection) => connection.end(response(OK, BACKEND)),
    expected: FRONTEND,
  },
};

/** Starts a backend on a free port of 127.0.0.1. */
export async function listen(behavior: Behavior) {
  const server = createServer((connection) =>
    connection.on("error", () => {}).on("data", (data) => behavior(connection, data as Buffer)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
