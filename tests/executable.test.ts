// The compiled executables as processes: start, configuration, log, signals and exit codes.

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { run } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { BODY, SERVICES, type ServiceName } from "../lab/services.ts";
import {
  compileExecutables,
  executablePath,
  folder,
  killServices,
  removeExecutables,
  startBothServices,
  startFrontend,
  startService,
} from "../testing/executables.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { waitUntil } from "../testing/wait-until.ts";

setDefaultTimeout(120_000);
beforeAll(compileExecutables);
afterEach(killServices);
afterAll(removeExecutables);

/** Starts a service, and for the frontend a backend that stays up, with this DRAIN_DELAY_MS. */
async function startDelayed(name: ServiceName, ms: number) {
  const env = { DRAIN_DELAY_MS: String(ms) };
  if (name === "api-backend") return startService(name, env);
  return startFrontend((await startService("api-backend")).port, env);
}

describe.each([...SERVICES])("%s", (name) => {
  test("/traceback sends no byte, logs the stack and exits with 1", async () => {
    const { port, child, events } = (await startBothServices())[name];
    expect(await sendRaw(port, rawRequest("GET", "/traceback"))).toBe("");
    expect(await child.exited).toBe(1);
    const logged = await events();
    expect(logged.map(({ event }) => event)).toEqual(["start", "crash"]);
    expect(logged[1]).toMatchObject({ level: "error", service: name });
    expect(logged[1]?.stack).toMatch(/^Error: GET \/traceback asked for a crash\n +at .*crash\.ts:\d+:\d+/);
  });

  test("logs its start in one line", async () => {
    const { port, child, events } = (await startBothServices())[name];
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

  test.each(["SIGTERM", "SIGINT"] as const)("exits at once with 0 on %s while idle", async (signal) => {
    const { child, events } = (await startBothServices())[name];
    const start = performance.now();
    child.kill(signal);
    expect(await child.exited).toBe(0);
    expect(performance.now() - start).toBeLessThan(1000);
    expect((await events()).at(-1)).toMatchObject({ event: "stop", signal, outcome: "drained" });
  });

  test.each(["SIGTERM", "SIGINT"] as const)("still answers a request that is half sent on %s", async (signal) => {
    const { port, child } = (await startBothServices())[name];
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

  test("exits at once on a second signal", async () => {
    const { port, child } = (await startBothServices())[name];
    const connection = createConnection(port, "127.0.0.1").on("error", () => {});
    await new Promise((resolve) => connection.write("GET / HTTP/1.1\r\n", resolve));
    await Bun.sleep(100);
    child.kill("SIGTERM");
    await Bun.sleep(100);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(143);
    connection.destroy();
  });

  test("is not ready from the first signal on, but answers for DRAIN_DELAY_MS more", async () => {
    const { port, child, events } = await startDelayed(name, 1000);
    const status = async (path: string) => (await sendRaw(port, rawRequest("GET", path))).split(" ")[1];
    expect(await status("/readyz")).toBe("200");
    const start = performance.now();
    child.kill("SIGTERM");
    await waitUntil("it is not ready", async () => (await status("/readyz")) === "503");
    const draining = await sendRaw(port, rawRequest("GET", "/readyz"));
    expect(draining).toEndWith('\r\n\r\n{\n  "status": "draining"\n}\n');
    expect(await sendRaw(port, rawRequest("GET", "/"))).toEndWith(BODY[name]);
    expect(await status("/healthz")).toBe("200");
    expect(await child.exited).toBe(0);
    expect(performance.now() - start).toBeWithin(1000, 1900);
    expect((await events()).at(-1)).toMatchObject({ event: "stop", signal: "SIGTERM", outcome: "drained" });
  });

  test.each([
    ["SIGTERM", "SIGINT", 130],
    ["SIGINT", "SIGTERM", 143],
  ] as const)("exits at once if %s is followed by %s during DRAIN_DELAY_MS", async (first, second, code) => {
    const { child } = await startDelayed(name, 60_000);
    child.kill(first);
    await Bun.sleep(100);
    expect(child.exitCode).toBeNull();
    child.kill(second);
    expect(await child.exited).toBe(code);
  });

  test("is its own health check", async () => {
    const { port } = (await startBothServices())[name];
    const command = [executablePath(name), "healthcheck"];
    expect(await run(command, { env: { PORT: String(port) } })).toEqual({ code: 0, stdout: "", stderr: "" });
    const closed = await freePort();
    const failed = await run(command, { env: { PORT: String(closed) } });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(new RegExp(`^port ${closed}: .+\n$`));
    expect((await run(command, { env: { PORT: "x" } })).code).toBe(78);
  });

  test("exits with 64 on an unknown argument", async () => {
    expect(await run([executablePath(name), "heathcheck"])).toEqual({
      code: 64,
      stdout: "",
      stderr: `usage: ${name} [healthcheck]\n`,
    });
  });

  test("exits with 71 if its port is taken, and names the variable", async () => {
    const { port } = (await startBothServices())[name];
    const second = await run([executablePath(name)], {
      env: { PORT: String(port), API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: "1" },
    });
    expect(second).toEqual({
      code: 71,
      stdout: "",
      stderr: `PORT=${port}: another process listens there; set PORT to a free one\n`,
    });
  });

  test("reads no .env and no bunfig.toml of its working directory", async () => {
    writeFileSync(join(folder, ".env"), "PORT=none\nLOG_LEVEL=none\n");
    writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./none.ts"]\n');
    try {
      expect((await startBothServices())[name].child.exitCode).toBeNull();
    } finally {
      rmSync(join(folder, ".env"));
      rmSync(join(folder, "bunfig.toml"));
    }
  });

  test("keeps serving when nothing reads its log", async () => {
    const port = await freePort();
    const backend = await startService("api-backend");
    const child = Bun.spawn([executablePath(name)], {
      env: {
        ...{ PORT: String(port), LOG_LEVEL: "debug" },
        ...{ API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: String(backend.port) },
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    await child.stdout.cancel();
    try {
      await waitUntil("it listens", () => sendRaw(port, rawRequest("GET", "/healthz")));
      for (let i = 0; i < 3; i++) expect(await sendRaw(port, rawRequest("GET", "/"))).toEndWith(BODY[name]);
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      expect(await child.stderr.text()).toBe("");
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("logs nothing but warnings and errors at LOG_LEVEL=WARN", async () => {
    const backend = await startService("api-backend");
    const { port, events } =
      name === "api-backend"
        ? await startService(name, { LOG_LEVEL: "WARN" })
        : await startFrontend(backend.port, { LOG_LEVEL: "WARN" });
    await sendRaw(port, rawRequest("GET", "/traceback"));
    expect(await events()).toMatchObject([{ level: "error", event: "crash" }]);
  });

  test("logs every request at LOG_LEVEL=debug", async () => {
    const backend = await startService("api-backend");
    const { port, child, events } =
      name === "api-backend"
        ? await startService(name, { LOG_LEVEL: "debug" })
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

test("invalid configuration gives one line for each variable, and exit code 78", async () => {
  expect(
    await run([executablePath("api-backend")], { env: { PORT: "80x", LOG_LEVEL: "loud", DRAIN_DELAY_MS: "5s" } }),
  ).toEqual({
    code: 78,
    stdout: "",
    stderr:
      'PORT="80x": expected a port number from 1 to 65535\n' +
      'LOG_LEVEL="loud": expected debug, info, warn or error\n' +
      'DRAIN_DELAY_MS="5s": expected milliseconds, from 0 to 60000\n',
  });
  expect(await run([executablePath("api-frontend")], { env: { API_BACKEND_URL: "http://api-backend" } })).toEqual({
    code: 78,
    stdout: "",
    stderr:
      'API_BACKEND_URL="http://api-backend": expected a host name or an IP address, without scheme, port or path\n' +
      "API_BACKEND_PORT is not set: expected a port number from 1 to 65535\n",
  });
});
