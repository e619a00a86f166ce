// The responses of the compiled executables, byte for byte.

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createConnection } from "node:net";
import { freePort } from "../host/tcp.ts";
import { BODY, SERVICES } from "../lab/services.ts";
import {
  compileExecutables,
  killServices,
  removeExecutables,
  startBothServices,
  startFrontend,
  startService,
} from "../testing/executables.ts";
import { comparableResponse, rawHttp10Request, rawRequest, sendRaw } from "../testing/raw-http.ts";
import { waitUntil } from "../testing/wait-until.ts";

setDefaultTimeout(120_000);
beforeAll(compileExecutables);
afterEach(killServices);
afterAll(removeExecutables);

const response = (status: string, body: string, ...headers: string[]) =>
  [`HTTP/1.1 ${status}`, ...headers, `Content-Length: ${body.length}`, "", body].join("\r\n");

const JSON_TYPE = "Content-Type: application/json";
const NOT_FOUND = '{\n  "error_message": "not found",\n  "status": "[ERROR]"\n}\n';
const METHOD_NOT_ALLOWED = '{\n  "error_message": "method not allowed",\n  "status": "[ERROR]"\n}\n';

/** Compares all bytes, except for the order and the case of the headers. */
function expectResponse(received: string, expected: string) {
  const split = (text: string) => {
    const [head = "", ...body] = text.split("\r\n\r\n");
    const [status, ...headers] = head.split("\r\n");
    return { status, headers: headers.map((header) => header.toLowerCase()).sort(), body: body.join("\r\n\r\n") };
  };
  expect(split(received)).toEqual(split(expected));
}

describe.each([...SERVICES])("%s", (name) => {
  test("sends the same responses to HTTP/1.0 without a Host header", async () => {
    const { port } = (await startBothServices())[name];
    const get = (method: string, path: string) => comparableResponse(port, method, path, rawHttp10Request);
    for (const [method, path] of [
      ["GET", "/"],
      ["HEAD", "/"],
      ["OPTIONS", "/"],
      ["POST", "/"],
      ["GET", "/healthz"],
      ["GET", "/none"],
      ["OPTIONS", "//evil/"],
      ["OPTIONS", "/traceback"],
      ["HEAD", "/traceback"],
    ] as const) {
      expectResponse(await get(method, path), await comparableResponse(port, method, path));
    }
    expect(await get("GET", "/traceback")).toBe("");
  });

  test("closes the connection of a CONNECT", async () => {
    const { port } = (await startBothServices())[name];
    const received = await sendRaw(port, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n");
    expect(received).toMatch(/^HTTP\/1\.1 405 [\s\S]*\r\nconnection: close\r\n/i);
  });

  test("sends the responses of the contract", async () => {
    const { port } = (await startBothServices())[name];
    const get = (method: string, path: string) => comparableResponse(port, method, path);
    const ok = response("200 OK", BODY[name], JSON_TYPE);
    expectResponse(await get("GET", "/"), ok);
    expectResponse(await get("GET", "/?a=b"), ok);
    expectResponse(await get("HEAD", "/"), ok.slice(0, -BODY[name].length));
    expectResponse(await get("OPTIONS", "/"), "HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n");
    expectResponse(await get("GET", "/none"), response("404 Not Found", NOT_FOUND, JSON_TYPE));
    expectResponse(await get("GET", "/traceback/"), response("404 Not Found", NOT_FOUND, JSON_TYPE));
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      expectResponse(
        await get(method, "/"),
        response("405 Method Not Allowed", METHOD_NOT_ALLOWED, JSON_TYPE, "Allow: GET, HEAD, OPTIONS"),
      );
    }
    const invalidHost = await sendRaw(port, rawRequest("GET", "/none").replace("localhost", "a b"));
    expect(invalidHost).toStartWith("HTTP/1.1 400 ");
    expect(await get("HEAD", "/traceback")).toStartWith("HTTP/1.1 405 ");
    expectResponse(await get("GET", "/healthz"), response("200 OK", '{\n  "status": "ok"\n}\n', JSON_TYPE));
  });

  test("answers one request after the other on a persistent connection", async () => {
    const { port } = (await startBothServices())[name];
    const request = rawRequest("GET", "/").replace("Connection: close\r\n", "");
    const received = await new Promise<string>((resolve) => {
      let all = "";
      let sent = 1;
      const connection = createConnection(port, "127.0.0.1", () => connection.write(request)).setEncoding("latin1");
      connection.on("data", (data) => {
        all += data;
        if (all.split(BODY[name]).length - 1 < sent) return;
        if (sent++ < 3) connection.write(request);
        else connection.end(() => resolve(all));
      });
    });
    expect(received.split(BODY[name])).toHaveLength(4);
  });
});

describe("the frontend, with a backend that takes a second", () => {
  const startSlowBackend = () =>
    Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async () => {
        await Bun.sleep(900);
        return Response.json({ body: "slow" });
      },
    });

  test.each(["SIGTERM", "SIGINT"] as const)("finishes the request in flight after %s", async (signal) => {
    await using backend = startSlowBackend();
    const { port, child } = await startFrontend(backend.port ?? 0);
    const inFlight = sendRaw(port, rawRequest("GET", "/"));
    await Bun.sleep(200);
    child.kill(signal);
    const isClosed = () => sendRaw(port, rawRequest("GET", "/healthz")).catch(() => true);
    await waitUntil("it refuses connections", isClosed, 700);
    expect(await inFlight).toEndWith('{\n  "return": {\n    "body": "slow"\n  },\n  "status": "[SUCESS]"\n}\n');
    expect(await child.exited).toBe(0);
  });
});

test("the frontend hides a restart of the backend", async () => {
  const backend = await startService("api-backend");
  const frontend = await startFrontend(backend.port);
  await sendRaw(frontend.port, rawRequest("GET", "/"));
  await sendRaw(backend.port, rawRequest("GET", "/traceback"));
  const inFlight = sendRaw(frontend.port, rawRequest("GET", "/"));
  await Bun.sleep(500);
  await startService("api-backend", { PORT: String(backend.port) });
  expect(await inFlight).toEndWith(BODY["api-frontend"]);
});

test("without a backend the frontend answers 502 within its budget, and logs the failed call", async () => {
  const port = await freePort();
  const frontend = await startFrontend(port);
  const start = performance.now();
  const received = await comparableResponse(frontend.port, "GET", "/");
  expect(performance.now() - start).toBeWithin(4900, 5500);
  const message = "GET / on backend API: connection refused";
  expectResponse(
    received,
    response("502 Bad Gateway", `{\n  "error_message": "${message}",\n  "status": "[ERROR]"\n}\n`, JSON_TYPE),
  );
  frontend.child.kill("SIGTERM");
  expect((await frontend.events())[1]).toMatchObject({ event: "backend_call_failed", status: 502, error: message });
});

test("the frontend calls the backend directly, whatever proxy the environment names", async () => {
  const backend = await startService("api-backend");
  const proxy = "http://127.0.0.1:1";
  const frontend = await startFrontend(backend.port, { HTTP_PROXY: proxy, http_proxy: proxy });
  expect(await sendRaw(frontend.port, rawRequest("GET", "/"))).toEndWith(BODY["api-frontend"]);
});
