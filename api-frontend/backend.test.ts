import { afterEach, beforeEach, expect, type Mock, spyOn, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import * as logging from "../service/log.ts";
import { Backend, MAX_CALLS } from "./backend.ts";

const MIB = 1024 * 1024;

// A backend that each test programs down to the bytes.
let server: Server;
let connections: Socket[];
let log: Mock<typeof logging.log>;

beforeEach(() => {
  log = spyOn(logging, "log").mockImplementation(() => {});
});

afterEach(() => {
  log.mockRestore();
  for (const connection of connections) connection.destroy();
  server.close();
});

/** The signal of a client that stays connected. */
const CONNECTED = new AbortController();
const call = (backend: Backend, budget?: number, signal = CONNECTED.signal) => backend.get({ signal }, budget);

const callBackend = (url: string, budget?: number) => {
  const { hostname, port } = new URL(url);
  return call(new Backend(hostname, Number(port)), budget);
};

/** Listens on the given port, or a free one, and returns the URL. Each connection is served once its request is complete. */
function listen(serve: (connection: Socket, nth: number) => void, port = 0): Promise<string> {
  connections = [];
  server = createServer((connection) => {
    const nth = connections.push(connection);
    connection.on("error", () => {}).once("data", () => serve(connection, nth));
  });
  return new Promise((resolve) =>
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`);
    }),
  );
}

const answer = (body: string, head = "HTTP/1.1 200 OK") =>
  `${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;

const failureOf = (call: Promise<unknown>) =>
  call.then(
    (value) => ({ value }),
    ({ status, message }) => [status, message],
  );

test("returns whatever JSON value the backend answers", async () => {
  const url = await listen((connection) => connection.end(answer('[null, 1, "é"]')));
  expect(await callBackend(url)).toEqual([null, 1, "é"]);
});

test("sends one request: GET /, accepting JSON", async () => {
  let request = "";
  const url = await listen((connection) => connection.end(answer("1")));
  server.on("connection", (connection) => connection.on("data", (data) => (request += data)));
  await callBackend(url);
  expect(connections).toHaveLength(1);
  expect(request).toStartWith("GET / HTTP/1.1\r\n");
  expect(request.toLowerCase()).toContain("\r\naccept: application/json\r\n");
});

test("reuses the connection for the next request", async () => {
  const url = await listen((connection) => {
    const keepAlive = () => connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1");
    connection.on("data", keepAlive);
    keepAlive();
  });
  const { port } = new URL(url);
  const backend = new Backend("127.0.0.1", Number(port));
  for (let i = 0; i < 3; i++) expect(await call(backend)).toBe(1);
  expect(connections).toHaveLength(1);
});

test("a response that is not HTTP is 502 at once", async () => {
  const url = await listen((connection) => connection.end("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the head is not valid"]);
  expect(connections).toHaveLength(1);
});

test("a head of 1 MB is 502 at once", async () => {
  const url = await listen((connection) => connection.write(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(1e6)}\r\n\r\n`));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the head is larger than 16 KiB"]);
});

test("too many calls at a time are 503 at once", async () => {
  const url = await listen(() => {});
  const { port } = new URL(url);
  const backend = new Backend("127.0.0.1", Number(port));
  const waiting = Array.from({ length: MAX_CALLS }, () => failureOf(call(backend, 1500)));
  const nextTurn = new Promise((resolve) => setImmediate(resolve, "later"));
  const refused = Promise.race([failureOf(call(backend)), nextTurn]);
  expect(await refused).toEqual([503, "too many requests wait for the backend"]);
  expect((await Promise.all(waiting)).every((failure) => Array.isArray(failure) && failure[0] === 504)).toBe(true);
  expect(await failureOf(callBackend("http://127.0.0.1:1/", 1100))).toEqual([502, expect.any(String)]);
});

test.each([404, 500, 503, 204, 201])("status %d is 502 with that status in the message", async (status) => {
  const url = await listen((connection) => connection.end(answer("", `HTTP/1.1 ${status} X`)));
  expect(await failureOf(callBackend(url))).toEqual([502, `GET / on backend API ${status}`]);
});

test("a redirect is not followed", async () => {
  const url = await listen((connection) => connection.end(answer("", "HTTP/1.1 301 X\r\nlocation: /")));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API 301"]);
  expect(connections).toHaveLength(1);
});

test.each(["<html>", "", '{"a":', "\ufeff"])("the body %p is not JSON: 502", async (body) => {
  const url = await listen((connection) => connection.end(answer(body)));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the answer is not JSON"]);
});

test("a body that is not UTF-8 is not JSON: 502", async () => {
  const url = await listen((connection) => {
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n");
    connection.end(Buffer.from([0x22, 0xff, 0x22]));
  });
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the answer is not JSON"]);
});

const text = (length: number) => `"${"a".repeat(length - 2)}"`;

test("a body of 1 MiB is accepted", async () => {
  const url = await listen((connection) => connection.end(answer(text(MIB))));
  expect(await callBackend(url)).toHaveLength(MIB - 2);
});

test("a byte more is 502", async () => {
  const url = await listen((connection) => connection.end(answer(text(MIB + 1))));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the answer is larger than 1 MiB"]);
});

test("an endless chunked body is given up at 1 MiB", async () => {
  const chunk = `10000\r\n${" ".repeat(0x10000)}\r\n`;
  const url = await listen((connection) => {
    connection.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
    const more = () => {
      while (!connection.destroyed && connection.write(chunk));
    };
    connection.on("drain", more);
    more();
  });
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the answer is larger than 1 MiB"]);
});

test("a backend that never answers is 504 at the end of the budget", async () => {
  const url = await listen(() => {});
  const start = performance.now();
  expect(await failureOf(callBackend(url, 1300))).toEqual([504, "GET / on backend API: no answer within 1.3 s"]);
  expect(performance.now() - start).toBeWithin(1290, 1800);
});

test("a backend that sends half a response is 504 as well", async () => {
  const url = await listen((connection) => connection.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1,"));
  expect(await failureOf(callBackend(url, 1300))).toEqual([504, "GET / on backend API: no answer within 1.3 s"]);
});

test("a request without a response for a second is hedged on another connection", async () => {
  const url = await listen((connection, nth) => nth > 1 && connection.end(answer("2")));
  const backend = new Backend("127.0.0.1", Number(new URL(url).port));
  const start = performance.now();
  expect(await call(backend)).toBe(2);
  expect(performance.now() - start).toBeWithin(950, 2000);
  await Bun.sleep(50);
  expect(backend.figures).toMatchObject({ hedged: 1, retried: 0 });
});

test.each([300, 1300])(
  "a call ends when its client disconnects after %d ms, and so does its connection",
  async (leaves) => {
    let closed = 0;
    const url = await listen((connection) => connection.on("close", () => closed++));
    const backend = new Backend("127.0.0.1", Number(new URL(url).port));
    const start = performance.now();
    expect(await failureOf(call(backend, 5000, AbortSignal.timeout(leaves)))).toEqual([499, "the client has left"]);
    // The client's connection is looked at after the first second only.
    expect(performance.now() - start).toBeLessThan(Math.max(leaves, 1000) + 500);
    await Bun.sleep(100);
    expect(closed).toBe(connections.length);
  },
);

/** A backend that answers the first request of each connection; the test says what it does with pipelined ones. */
async function pipelined(behavior: (connection: Socket) => void): Promise<Backend> {
  const url = await listen((connection, nth) => {
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1");
    connection.on("data", () => (nth === 1 ? behavior(connection) : connection.end(answer('"right"'))));
  });
  const backend = new Backend("127.0.0.1", Number(new URL(url).port));
  expect(await call(backend)).toBe(1);
  return backend;
}

test.each([
  ["an error", "HTTP/1.1 500 X\r\ncontent-length: 99\r\n\r\n"],
  ["a response that is too large", `HTTP/1.1 200 OK\r\ncontent-length: ${MIB + 1}\r\n\r\n`],
  ["the last response of a connection", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n2"],
])("bytes that follow %s are not taken for another response", async (_what, head) => {
  const backend = await pipelined((connection) => {
    connection.write(`${head}${answer('"smuggled"').replace("connection: close\r\n", "").repeat(3)}`);
  });
  const calls = await Promise.all(Array.from({ length: 4 }, () => failureOf(call(backend))));
  expect(JSON.stringify(calls)).not.toContain("smuggled");
  // These are retried on connections of their own.
  expect(calls.slice(1)).toEqual([1, 1, 1].map((value) => ({ value })));
});

test("a reset does not complete a body, only a close does", async () => {
  const url = await listen((connection, nth) => {
    if (nth > 1) return void connection.end(answer('"whole"'));
    connection.write("HTTP/1.1 200 OK\r\n\r\n12");
    setTimeout(() => connection.resetAndDestroy(), 50);
  });
  expect(await callBackend(url)).toBe("whole");
});

test("a connection that closes early is retried", async () => {
  const url = await listen((connection, nth) => (nth < 4 ? connection.destroy() : connection.end(answer("4"))));
  expect(await callBackend(url)).toBe(4);
  expect(connections).toHaveLength(4);
});

test("a body that is cut off is retried", async () => {
  const url = await listen((connection, nth) =>
    nth < 3 ? connection.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[1,") : connection.end(answer("3")),
  );
  expect(await callBackend(url)).toBe(3);
});

test("a backend that starts late goes unnoticed", async () => {
  const url = await listen(() => {});
  server.close();
  const call = callBackend(url);
  await Bun.sleep(700);
  await listen((connection) => connection.end(answer('"late"')), Number(new URL(url).port));
  expect(await call).toBe("late");
  expect(log).not.toHaveBeenCalled();
});

test("a backend that does not come back is 502 at the end of the budget, with one line in the log", async () => {
  const url = await listen(() => {});
  server.close();
  expect(await failureOf(callBackend(url, 1300))).toEqual([502, "GET / on backend API: connection refused"]);
  expect(log.mock.calls).toEqual([
    [
      "warn",
      "backend_call_failed",
      { url, status: 502, error: "GET / on backend API: connection refused", ms: expect.any(Number) },
    ],
  ]);
});

test("an unknown host name is 502", async () => {
  await listen(() => {});
  expect(await failureOf(callBackend("http://no-such-host.invalid/", 1300))).toEqual([
    502,
    "GET / on backend API: host name not found",
  ]);
});

test("tells of its attempts, connections and addresses", async () => {
  // The first connection is closed, the second is silent, and the third answers two calls.
  const url = await listen((connection, nth) => {
    if (nth === 1) connection.destroy();
    if (nth < 3) return;
    const keepAlive = () => connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n3");
    connection.on("data", keepAlive);
    keepAlive();
  });
  const backend = new Backend("127.0.0.1", Number(new URL(url).port));
  const nothing = { waiting: 0, retried: 0, hedged: 0, connections: 0, addresses: 0, leftOut: 0, repeated: 0 };
  expect(backend.figures).toEqual(nothing);
  const first = call(backend);
  await Bun.sleep(500);
  expect(backend.figures).toMatchObject({ waiting: 1, connections: 1, addresses: 1 });
  expect(await first).toBe(3);
  expect(await call(backend)).toBe(3);
  await Bun.sleep(50);
  expect(backend.figures).toEqual({ ...nothing, retried: 1, hedged: 1, connections: 1, addresses: 1 });
});
