// Backends that are broken in one way each, down to the bytes.

import { type AddressInfo, createServer, type Socket } from "node:net";
import { BUDGET_MS } from "../../api-frontend/backend.ts";
import { BODY } from "../../testing/services.ts";

const BACKEND = BODY["api-backend"];
export const OK = "HTTP/1.1 200 OK\r\n";
const answer = (head: string, body = "") => `${head}connection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
export const bytes = (text: string) => (connection: Socket) => connection.write(text);

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

export const errorBody = (text: string) => `{\n  "error_message": "${text}",\n  "status": "[ERROR]"\n}\n`;
const error = (status: number, why: string): [number, string] => [status, errorBody(`GET / on backend API${why}`)];
export const SILENT = error(504, `: no answer within ${BUDGET_MS / 1000} s`);
const CUT = error(502, ": connection closed before the answer was complete");
const LARGE = error(502, ": the answer is larger than 1 MiB");

/** What it does with the bytes of a request. */
export type Behavior = (connection: Socket, request: Buffer) => unknown;

/** A backend with a fault, and the answer that the contract wants of its frontend: status and body. */
export interface FaultyBackend {
  readonly behavior: Behavior;
  readonly expected: [number, string];
}

export const FAULTY_BACKENDS: Record<string, FaultyBackend> = {
  "never answers": { behavior: () => {}, expected: SILENT },
  "answers half and hangs": { behavior: bytes(`${OK}content-length: 10\r\n\r\n[1,`), expected: SILENT },
  "resets amid the body": {
    behavior: (connection) =>
      connection.write(`${OK}content-length: 10\r\n\r\n[1,`, () => connection.resetAndDestroy()),
    expected: CUT,
  },
  "closes without an answer": { behavior: (connection) => connection.destroy(), expected: CUT },
  "answers 500": {
    behavior: bytes(answer("HTTP/1.1 500 Internal Server Error\r\n", "<html>")),
    expected: error(502, " 500"),
  },
  "redirects to itself": {
    behavior: bytes(answer("HTTP/1.1 301 Moved\r\nlocation: /\r\n")),
    expected: error(502, " 301"),
  },
  "sends chunks for ever": {
    behavior: forever(`${OK}transfer-encoding: chunked\r\n\r\n`, `4000\r\n${" ".repeat(0x4000)}\r\n`),
    expected: LARGE,
  },
  "sends 200 MB": { behavior: forever(`${OK}content-length: 200000000\r\n\r\n`, " ".repeat(0x4000)), expected: LARGE },
  "answers what is no JSON": {
    behavior: bytes(answer(OK, "{'a': 1}")),
    expected: error(502, ": the answer is not JSON"),
  },
  "sends a head of 1 MB": {
    behavior: bytes(answer(`${OK}x: ${"a".repeat(1e6)}\r\n`)),
    expected: error(502, ": the head is larger than 16 KiB"),
  },
  "speaks another protocol": {
    behavior: bytes("SSH-2.0-OpenSSH\r\n\r\n"),
    expected: error(502, ": the head is not valid"),
  },
  // As Bun itself does while a handler waits.
  "closes at a second request before its answer": {
    behavior: aloneOnly(),
    expected: [200, BODY["api-frontend"]],
  },
  "closes each connection": {
    behavior: (connection) => connection.end(answer(OK, BACKEND)),
    expected: [200, BODY["api-frontend"]],
  },
};

/** Listens on a free port of 127.0.0.1, and behaves so at each request. */
export async function listen(behavior: Behavior) {
  const server = createServer((connection) =>
    connection.on("error", () => {}).on("data", (data) => behavior(connection, data as Buffer)),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, port: (server.address() as AddressInfo).port };
}
