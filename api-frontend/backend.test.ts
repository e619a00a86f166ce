import { afterEach, beforeEach, expect, type Mock, spyOn, test } from "bun:test";
import { createServer, type Server, type Socket } from "node:net";
import * as logging from "../service/log.ts";
import { Backend, MAX_CALLS } from "./backend.ts";

const MIB = 1024 * 1024;

// A backend down to the bytes: what it does with each connection is the test's.
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

const STAYING = new AbortController();
const call = (backend: Backend, budget?: number, signal = STAYING.signal) => backend.get({ signal }, budget);

const callBackend = (url: string, budget?: number) => {
  const { hostname, port } = new URL(url);
  return call(new Backend(hostname, Number(port)), budget);
};

/** Listens, on the given port or a free one, and gives the URL. Each connection is served once its request is in. */
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

test("gives whatever JSON value the backend answers", async () => {
  const url = await listen((connection) => connection.end(answer('[null, 1, "é"]')));
  expect(await callBackend(url)).toEqual([null, 1, "é"]);
});

test("asks once: GET /, with the headers of a client that takes JSON", async () => {
  let request = "";
  const url = await listen((connection) => connection.end(answer("1")));
  server.on("connection", (connection) => connection.on("data", (data) => (request += data)));
  await callBackend(url);
  expect(connections).toHaveLength(1);
  expect(request).toStartWith("GET / HTTP/1.1\r\n");
  expect(request.toLowerCase()).toContain("\r\naccept: application/json\r\n");
});

test("asks over the same connection again", async () => {
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

test("what is no HTTP is 502 at once", async () => {
  const url = await listen((connection) => connection.end("SSH-2.0-OpenSSH_9.2\r\n\r\n"));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the head is not valid"]);
  expect(connections).toHaveLength(1);
});

test("a head of 1 MB is 502 at once", async () => {
  const url = await listen((connection) => connection.write(`HTTP/1.1 200 OK\r\nx: ${"a".repeat(1e6)}\r\n\r\n`));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the head is larger than 16 KiB"]);
});

test("what comes past the bound of waiting calls is 503 at once", async () => {
  const url = await listen(() => {});
  const { port } = new URL(url);
  const backend = new Backend("127.0.0.1", Number(port));
  const waiting = Array.from({ length: MAX_CALLS }, () => failureOf(call(backend, 1500)));
  const start = performance.now();
  expect(await failureOf(call(backend))).toEqual([503, "too many requests wait for the backend"]);
  expect(performance.now() - start).toBeLessThan(50);
  expect((await Promise.all(waiting)).every((failure) => Array.isArray(failure) && failure[0] === 504)).toBe(true);
  expect(await failureOf(callBackend("http://127.0.0.1:1/", 1100))).toEqual([502, expect.any(String)]);
});

test.each([404, 500, 503, 204, 201])("another code than 200, %d, is 502 with that code", async (status) => {
  const url = await listen((connection) => connection.end(answer("", `HTTP/1.1 ${status} X`)));
  expect(await failureOf(callBackend(url))).toEqual([502, `GET / on backend API ${status}`]);
});

test("a redirect is not followed", async () => {
  const url = await listen((connection) => connection.end(answer("", "HTTP/1.1 301 X\r\nlocation: /")));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API 301"]);
  expect(connections).toHaveLength(1);
});

test.each(["<html>", "", '{"a":', "\ufeff"])("%p is no JSON: 502", async (body) => {
  const url = await listen((connection) => connection.end(answer(body)));
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the answer is not JSON"]);
});

test("bytes that are no UTF-8 are no JSON: 502", async () => {
  const url = await listen((connection) => {
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n");
    connection.end(Buffer.from([0x22, 0xff, 0x22]));
  });
  expect(await failureOf(callBackend(url))).toEqual([502, "GET / on backend API: the answer is not JSON"]);
});

const text = (length: number) => `"${"a".repeat(length - 2)}"`;

test("1 MiB is taken", async () => {
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

test("a backend that never answers is 504, within the budget", async () => {
  const url = await listen(() => {});
  const start = performance.now();
  expect(await failureOf(callBackend(url, 1300))).toEqual([504, "GET / on backend API: no answer within 1.3 s"]);
  expect(performance.now() - start).toBeWithin(1290, 1800);
});

test("half an answer is 504 too", async () => {
  const url = await listen((connection) => connection.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n[1,"));
  expect(await failureOf(callBackend(url, 1300))).toEqual([504, "GET / on backend API: no answer within 1.3 s"]);
});

test("a silent connection is overtaken by another after a second", async () => {
  const url = await listen((connection, nth) => nth > 1 && connection.end(answer("2")));
  const start = performance.now();
  expect(await callBackend(url)).toBe(2);
  expect(performance.now() - start).toBeWithin(950, 2000);
});

test.each([300, 1300])("a call whose client leaves after %d ms ends, and its connection with it", async (leaves) => {
  let closed = 0;
  const url = await listen((connection) => connection.on("close", () => closed++));
  const backend = new Backend("127.0.0.1", Number(new URL(url).port));
  const start = performance.now();
  expect(await failureOf(call(backend, 5000, AbortSignal.timeout(leaves)))).toEqual([499, "the client has left"]);
  // It is asked for after the first second.
  expect(performance.now() - start).toBeLessThan(Math.max(leaves, 1000) + 500);
  await Bun.sleep(100);
  expect(closed).toBe(connections.length);
});

/** A backend that answers the first request of each connection, and does this with those that come together later. */
async function pipelined(does: (connection: Socket) => void): Promise<Backend> {
  const url = await listen((connection, nth) => {
    connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1");
    connection.on("data", () => (nth === 1 ? does(connection) : connection.end(answer('"right"'))));
  });
  const backend = new Backend("127.0.0.1", Number(new URL(url).port));
  expect(await call(backend)).toBe(1);
  return backend;
}

test.each([
  ["an error", "HTTP/1.1 500 X\r\ncontent-length: 99\r\n\r\n"],
  ["an answer that is too large", `HTTP/1.1 200 OK\r\ncontent-length: ${MIB + 1}\r\n\r\n`],
  ["the last answer of a connection", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 1\r\n\r\n2"],
])("what comes behind %s is nobody's answer", async (_what, head) => {
  const backend = await pipelined((connection) => {
    connection.write(`${head}${answer('"smuggled"').replace("connection: close\r\n", "").repeat(3)}`);
  });
  const calls = await Promise.all(Array.from({ length: 4 }, () => failureOf(call(backend))));
  expect(JSON.stringify(calls)).not.toContain("smuggled");
  // Retried over connections of their own.
  expect(calls.slice(1)).toEqual([1, 1, 1].map((value) => ({ value })));
});

test("a reset ends no body, only a close does", async () => {
  const url = await listen((connection, nth) => {
    if (nth > 1) return void connection.end(answer('"whole"'));
    connection.write("HTTP/1.1 200 OK\r\n\r\n12");
    setTimeout(() => connection.resetAndDestroy(), 50);
  });
  expect(await callBackend(url)).toBe("whole");
});

test("a connection that closes early is tried again", async () => {
  const url = await listen((connection, nth) => (nth < 4 ? connection.destroy() : connection.end(answer("4"))));
  expect(await callBackend(url)).toBe(4);
  expect(connections).toHaveLength(4);
});

test("a body that is cut off is tried again", async () => {
  const url = await listen((connection, nth) =>
    nth < 3 ? connection.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[1,") : connection.end(answer("3")),
  );
  expect(await callBackend(url)).toBe(3);
});

test("a backend that starts late is waited for", async () => {
  const url = await listen(() => {});
  server.close();
  const call = callBackend(url);
  await Bun.sleep(700);
  await listen((connection) => connection.end(answer('"late"')), Number(new URL(url).port));
  expect(await call).toBe("late");
  expect(log).not.toHaveBeenCalled();
});

test("a backend that stays away is 502 past the budget, with one line in the log", async () => {
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

test("a name that nobody knows is 502", async () => {
  await listen(() => {});
  expect(await failureOf(callBackend("http://no-such-host.invalid/", 1300))).toEqual([
    502,
    "GET / on backend API: host name not found",
  ]);
});
