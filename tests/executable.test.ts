// The compiled executables, each run as a process of this machine.

import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { run } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { compile, endAll, executable, folder, remove, start, startFrontend } from "../testing/executables.ts";
import { comparableResponse, rawRequest, sendRaw } from "../testing/raw-http.ts";
import { BODY, SERVICES } from "../testing/services.ts";
import { waitUntil } from "../testing/wait-until.ts";

beforeAll(compile);
afterEach(endAll);
afterAll(remove);

async function startBoth() {
  const backend = await start("api-backend");
  return { "api-backend": backend, "api-frontend": await startFrontend(backend.port) };
}

const answered = (status: string, body: string, ...headers: string[]) =>
  [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`, "", body].join("\r\n");

const JSON_TYPE = "Content-Type: application/json";
const NOT_FOUND = '{\n  "error_message": "not found",\n  "status": "[ERROR]"\n}\n';
const WRONG_METHOD = '{\n  "error_message": "method not allowed",\n  "status": "[ERROR]"\n}\n';

/** Headers may come in any order; all else must be equal to the byte. */
function expectAnswer(received: string, expected: string) {
  const split = (text: string) => {
    const [head = "", ...body] = text.split("\r\n\r\n");
    const [status, ...headers] = head.split("\r\n");
    return { status, headers: headers.map((header) => header.toLowerCase()).sort(), body: body.join("\r\n\r\n") };
  };
  expect(split(received)).toEqual(split(expected));
}

describe.each([...SERVICES])("%s", (name) => {
  test("answers the contract's bytes", async () => {
    const { port } = (await startBoth())[name];
    const ok = answered("200 OK", BODY[name], JSON_TYPE);
    expectAnswer(await comparableResponse(port, "GET", "/"), ok);
    expectAnswer(await comparableResponse(port, "GET", "/?a=b"), ok);
    expectAnswer(await comparableResponse(port, "HEAD", "/"), ok.slice(0, -BODY[name].length));
    expectAnswer(
      await comparableResponse(port, "OPTIONS", "/"),
      "HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n",
    );
    expectAnswer(await comparableResponse(port, "GET", "/none"), answered("404 Not Found", NOT_FOUND, JSON_TYPE));
    expectAnswer(await comparableResponse(port, "GET", "/traceback/"), answered("404 Not Found", NOT_FOUND, JSON_TYPE));
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      expectAnswer(
        await comparableResponse(port, method, "/"),
        answered("405 Method Not Allowed", WRONG_METHOD, JSON_TYPE, "Allow: GET, HEAD, OPTIONS"),
      );
    }
    const noHost = await sendRaw(port, rawRequest("GET", "/none").replace("localhost", "a b"));
    expect(noHost).toStartWith("HTTP/1.1 400 ");
    const head = await comparableResponse(port, "HEAD", "/traceback");
    expect(head).toStartWith("HTTP/1.1 405 ");
    expectAnswer(
      await comparableResponse(port, "GET", "/healthz"),
      answered("200 OK", '{\n  "status": "ok"\n}\n', JSON_TYPE),
    );
  });

  test("answers a connection that is kept open, request after request", async () => {
    const { port } = (await startBoth())[name];
    const keep = rawRequest("GET", "/").replace("Connection: close\r\n", "");
    const received = await new Promise<string>((resolve) => {
      let all = "";
      let sent = 1;
      const connection = createConnection(port, "127.0.0.1", () => connection.write(keep)).setEncoding("latin1");
      connection.on("data", (data) => {
        all += data;
        if (all.split(BODY[name]).length - 1 < sent) return;
        if (sent++ < 3) connection.write(keep);
        else connection.end(() => resolve(all));
      });
    });
    expect(received.split(BODY[name])).toHaveLength(4);
  });

  test("/traceback answers no byte, leaves the stack in the log and ends with 1", async () => {
    const { port, child, events } = (await startBoth())[name];
    expect(await sendRaw(port, rawRequest("GET", "/traceback"))).toBe("");
    expect(await child.exited).toBe(1);
    const logged = await events();
    expect(logged.map(({ event }) => event)).toEqual(["start", "crash"]);
    expect(logged[1]).toMatchObject({ level: "error", service: name });
    expect(logged[1]?.stack).toMatch(/^Error: GET \/traceback asked for a crash\n +at .*crash\.ts:\d+:\d+/);
  });

  test("logs its start, in one line", async () => {
    const { port, child, events } = (await startBoth())[name];
    await sendRaw(port, rawRequest("GET", "/"));
    child.kill("SIGTERM");
    const { version } = await Bun.file("package.json").json();
    const [first, ...others] = await events();
    expect(first).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: "info",
      service: name,
      event: "start",
      version,
      pid: child.pid,
      port,
    });
    expect(others.map(({ event }) => event)).toEqual(["stop"]);
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s while idle ends it at once with 0", async (signal) => {
    const { child, events } = (await startBoth())[name];
    const sent = performance.now();
    child.kill(signal);
    expect(await child.exited).toBe(0);
    expect(performance.now() - sent).toBeLessThan(1000);
    expect((await events()).at(-1)).toMatchObject({ event: "stop", signal, outcome: "drained" });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("%s lets a request that is half sent finish", async (signal) => {
    const { port, child } = (await startBoth())[name];
    const request = rawRequest("GET", "/healthz");
    const connection = createConnection(port, "127.0.0.1");
    let received = "";
    connection.setEncoding("latin1").on("data", (data) => {
      received += data;
    });
    await new Promise((resolve) => connection.write(request.slice(0, 30), resolve));
    await Bun.sleep(100);
    child.kill(signal);
    await Bun.sleep(300);
    connection.write(request.slice(30));
    expect(await child.exited).toBe(0);
    expect(received).toStartWith("HTTP/1.1 200 OK");
  });

  test("a second signal ends it at once", async () => {
    const { port, child } = (await startBoth())[name];
    const connection = createConnection(port, "127.0.0.1").on("error", () => {});
    await new Promise((resolve) => connection.write("GET / HTTP/1.1\r\n", resolve));
    await Bun.sleep(100);
    child.kill("SIGTERM");
    await Bun.sleep(100);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(143);
    connection.destroy();
  });

  test("is its own probe", async () => {
    const { port } = (await startBoth())[name];
    expect(await run([executable(name), "healthcheck"], { env: { PORT: String(port) } })).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    const closed = await freePort();
    const failed = await run([executable(name), "healthcheck"], { env: { PORT: String(closed) } });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(new RegExp(`^port ${closed}: .+\n$`));
    expect((await run([executable(name), "healthcheck"], { env: { PORT: "x" } })).code).toBe(78);
  });

  test("an argument that it does not know ends it with 64", async () => {
    expect(await run([executable(name), "heathcheck"])).toEqual({
      code: 64,
      stdout: "",
      stderr: `usage: ${name} [healthcheck]\n`,
    });
  });

  test("a port that is taken ends it with 71 and names the variable", async () => {
    const { port } = (await startBoth())[name];
    const second = await run([executable(name)], {
      env: { PORT: String(port), API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: "1" },
    });
    expect(second).toEqual({
      code: 71,
      stdout: "",
      stderr: `PORT=${port}: another process listens there; set PORT to a free one\n`,
    });
  });

  test("reads no .env and no bunfig.toml of the folder it runs in", async () => {
    writeFileSync(join(folder, ".env"), "PORT=none\nLOG_LEVEL=none\n");
    writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./none.ts"]\n');
    try {
      expect((await startBoth())[name].child.exitCode).toBeNull();
    } finally {
      rmSync(join(folder, ".env"));
      rmSync(join(folder, "bunfig.toml"));
    }
  });

  test("serves on when nobody reads its log", async () => {
    const port = await freePort();
    const backend = await start("api-backend");
    const child = Bun.spawn([executable(name)], {
      env: {
        ...{ PORT: String(port), LOG_LEVEL: "debug" },
        ...{ API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: String(backend.port) },
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    await child.stdout.cancel();
    try {
      await waitUntil("it serves", () => sendRaw(port, rawRequest("GET", "/healthz")));
      for (let i = 0; i < 3; i++) expect(await sendRaw(port, rawRequest("GET", "/"))).toEndWith(BODY[name]);
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      expect(await child.stderr.text()).toBe("");
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("LOG_LEVEL=debug gives a line a request", async () => {
    const backend = await start("api-backend");
    const { port, child, events } =
      name === "api-backend"
        ? await start(name, { LOG_LEVEL: "debug" })
        : await startFrontend(backend.port, { LOG_LEVEL: "debug" });
    expect(await sendRaw(port, rawRequest("GET", "/"))).toEndWith(BODY[name]);
    await sendRaw(port, rawRequest("GET", "/none?secret=1"));
    child.kill("SIGTERM");
    const requests = (await events()).filter(({ event, path }) => event === "request" && path !== "/healthz");
    expect(requests).toMatchObject([
      { level: "debug", method: "GET", path: "/", status: 200, ms: expect.any(Number) },
      { level: "debug", method: "GET", path: "/none", status: 404 },
    ]);
  });
});

test("a wrong value gives one line for each variable, and exit code 78", async () => {
  expect(await run([executable("api-backend")], { env: { PORT: "80x", LOG_LEVEL: "loud" } })).toEqual({
    code: 78,
    stdout: "",
    stderr: 'PORT="80x": expected a port number from 1 to 65535\nLOG_LEVEL="loud": expected info or debug\n',
  });
  expect(await run([executable("api-frontend")], { env: { API_BACKEND_URL: "http://api-backend" } })).toEqual({
    code: 78,
    stdout: "",
    stderr:
      'API_BACKEND_URL="http://api-backend": expected a host name or an IP address, without scheme, port or path\n' +
      "API_BACKEND_PORT is not set: expected a port number from 1 to 65535\n",
  });
});

describe("the frontend, with a backend that takes a second", () => {
  const slow = () =>
    Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async () => {
        await Bun.sleep(900);
        return Response.json({ body: "slow" });
      },
    });

  test.each(["SIGTERM", "SIGINT"] as const)("answers the request in flight before %s ends it", async (signal) => {
    await using backend = slow();
    const { port, child } = await startFrontend(backend.port ?? 0);
    const inFlight = sendRaw(port, rawRequest("GET", "/"));
    await Bun.sleep(200);
    child.kill(signal);
    await waitUntil(
      "it refuses connections",
      () => sendRaw(port, rawRequest("GET", "/healthz")).catch(() => true),
      700,
    );
    expect(await inFlight).toEndWith('{\n  "return": {\n    "body": "slow"\n  },\n  "status": "[SUCESS]"\n}\n');
    expect(await child.exited).toBe(0);
  });
});

test("the frontend waits for a backend that comes back, and nobody sees it gone", async () => {
  const backend = await start("api-backend");
  const frontend = await startFrontend(backend.port);
  await sendRaw(frontend.port, rawRequest("GET", "/"));
  await sendRaw(backend.port, rawRequest("GET", "/traceback"));
  const asked = sendRaw(frontend.port, rawRequest("GET", "/"));
  await Bun.sleep(500);
  await start("api-backend", { PORT: String(backend.port) });
  expect(await asked).toEndWith(BODY["api-frontend"]);
});

test("without a backend the frontend answers 502 inside its budget and logs the failed call", async () => {
  const port = await freePort();
  const frontend = await startFrontend(port);
  const asked = performance.now();
  const received = await comparableResponse(frontend.port, "GET", "/");
  expect(performance.now() - asked).toBeWithin(4900, 5500);
  const message = "GET / on backend API: connection refused";
  expectAnswer(
    received,
    answered("502 Bad Gateway", `{\n  "error_message": "${message}",\n  "status": "[ERROR]"\n}\n`, JSON_TYPE),
  );
  frontend.child.kill("SIGTERM");
  expect((await frontend.events())[1]).toMatchObject({ event: "backend_call_failed", status: 502, error: message });
});

test("the frontend asks the backend itself, whatever proxy the environment names", async () => {
  const backend = await start("api-backend");
  const proxy = "http://127.0.0.1:1";
  const frontend = await startFrontend(backend.port, { HTTP_PROXY: proxy, http_proxy: proxy });
  expect(await sendRaw(frontend.port, rawRequest("GET", "/"))).toEndWith(BODY["api-frontend"]);
});
