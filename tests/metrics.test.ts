// /metrics of the executables: the format, and that what is counted is what was sent.

import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createConnection } from "node:net";
import { SERVICES } from "../lab/services.ts";
import {
  compileExecutables,
  killServices,
  removeExecutables,
  type Service,
  startBothServices,
  startFrontend,
  startService,
} from "../testing/executables.ts";
import { parseMetrics } from "../testing/metrics-text.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { waitUntil } from "../testing/wait-until.ts";

setDefaultTimeout(120_000);
beforeAll(compileExecutables);
afterEach(killServices);
afterAll(removeExecutables);

const urlOf = ({ port }: Service, path = "/metrics") => `http://127.0.0.1:${port}${path}`;
const textOf = async (service: Service) => (await fetch(urlOf(service))).text();
const scrape = async (service: Service) => parseMetrics(await textOf(service));

/** The series of one name, without those that are 0. */
const counted = (metrics: ReadonlyMap<string, number>, name: string) =>
  Object.fromEntries(
    [...metrics]
      .filter(([series, value]) => series.startsWith(`${name}{`) && value > 0)
      .map(([series, value]) => [/"(.*)"/.exec(series)?.[1], value]),
  );

describe.each([...SERVICES])("%s", (name) => {
  test("has the type of the format, and the headers of GET for HEAD", async () => {
    const service = (await startBothServices())[name];
    const get = await fetch(urlOf(service));
    expect(get.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    parseMetrics(await get.text());
    const head = await sendRaw(service.port, rawRequest("HEAD", "/metrics"));
    expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain; version=0\.0\.4[\s\S]*\r\n\r\n$/i);
  });

  test.each(["/metrics", "/readyz"])("%s has the methods of any known path", async (path) => {
    const service = (await startBothServices())[name];
    const answer = async (method: string) => {
      const { status, headers } = await fetch(urlOf(service, path), { method });
      return [status, headers.get("allow")];
    };
    expect(await answer("OPTIONS")).toEqual([204, "GET, HEAD, OPTIONS"]);
    for (const method of ["POST", "PUT", "PATCH", "DELETE"])
      expect(await answer(method)).toEqual([405, "GET, HEAD, OPTIONS"]);
    expect((await fetch(urlOf(service, `${path}/`))).status).toBe(404);
  });

  test("tells of the process what the kernel says", async () => {
    const service = (await startBothServices())[name];
    const metrics = await scrape(service);
    const { version } = await Bun.file("package.json").json();
    expect(metrics.get(`service_build_info{version="${version}"}`)).toBe(1);
    expect(metrics.get("service_draining")).toBe(0);
    const status = await Bun.file(`/proc/${service.child.pid}/status`).text();
    const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    expect((metrics.get("process_resident_memory_bytes") ?? 0) / resident).toBeWithin(0.8, 1.2);
    expect(metrics.get("process_start_time_seconds")).toBeWithin(Date.now() / 1000 - 30, Date.now() / 1000);
    expect(metrics.get("process_cpu_seconds_total")).toBeWithin(0.001, 30);
    expect(metrics.get("process_open_fds")).toBeWithin(4, 100);
    for (const tcp of ["tcp_connections", "tcp_connections_accepted_total", "tcp_segments_received_total"])
      expect(metrics.get(tcp)).toBeGreaterThan(0);
  });

  test("is served to a slow client, and to others meanwhile, until the drain has begun", async () => {
    const backend = await startService("api-backend", { DRAIN_DELAY_MS: "600" });
    const service = name === "api-backend" ? backend : await startFrontend(backend.port, { DRAIN_DELAY_MS: "600" });
    let received = "";
    const slow = createConnection(service.port, "127.0.0.1").setEncoding("latin1").pause();
    const ended = new Promise((resolve) => slow.on("end", resolve));
    slow.on("data", (data) => {
      received += data;
    });
    slow.write(rawRequest("GET", "/metrics"));
    for (let i = 0; i < 20; i++) await scrape(service);
    service.child.kill("SIGTERM");
    await waitUntil("it drains", async () => (await scrape(service)).get("service_draining") === 1);
    slow.resume();
    await ended;
    parseMetrics(received.split("\r\n\r\n")[1] ?? "");
    expect(await service.child.exited).toBe(0);
  });

  test("has the same series after 1,000 different paths, methods and hosts", async () => {
    const service = (await startBothServices())[name];
    const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
    const ask = async (i: number) => {
      const path = `/${i}${'"\\{}'.repeat(i % 3)}?a=${i}`;
      await (await fetch(urlOf(service, path), { method: methods[i % 7] ?? "", headers: { host: `h${i}` } })).text();
    };
    await ask(0);
    await (await fetch(urlOf(service, "/"), { method: "POST" })).text();
    const before = [...(await scrape(service)).keys()];
    for (let i = 0; i < 1000; i += 50) await Promise.all(Array.from({ length: 50 }, (_, j) => ask(i + j)));
    expect([...(await scrape(service)).keys()]).toEqual(before);
  });
});

test("the backend counts every response but 200", async () => {
  const backend = await startService("api-backend");
  for (let i = 0; i < 3; i++) await fetch(urlOf(backend, "/none"));
  for (let i = 0; i < 2; i++) await fetch(urlOf(backend, "/"), { method: "POST" });
  await fetch(urlOf(backend, "/"), { method: "OPTIONS" });
  await fetch(urlOf(backend, "/"));
  expect(counted(await scrape(backend), "http_error_responses_total")).toEqual({ 204: 1, 404: 3, 405: 2 });
});

test("the frontend counts each response by its status, each call by its outcome, and how long they took", async () => {
  let respond: () => Response | Promise<Response> = () => Response.json(1);
  await using backend = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => respond() });
  const frontend = await startFrontend(backend.port ?? 0);
  const get = async (count: number, path = "/", method = "GET") => {
    for (let i = 0; i < count; i++) await (await fetch(urlOf(frontend, path), { method })).text();
  };
  await get(40);
  expect((await scrape(frontend)).get("backend_connections")).toBeWithin(1, 3);
  await get(2, "/", "HEAD");
  await get(3, "/none");
  await get(4, "/", "DELETE");
  await get(5, "/", "OPTIONS");
  for (const path of ["/healthz", "/readyz", "/metrics"]) await get(2, path);
  respond = () => new Response("no", { status: 500 });
  await get(6);
  respond = () => new Response("{");
  await get(7);
  // One that is never answered, and one whose client leaves once it is hedged.
  respond = () => new Promise(() => {});
  const start = performance.now();
  const silent = get(1);
  await fetch(urlOf(frontend, "/"), { signal: AbortSignal.timeout(1300) }).catch(() => {});
  expect((await scrape(frontend)).get("backend_calls_waiting")).toBeWithin(1, 3);
  await silent;
  const took = (performance.now() - start) / 1000;

  const metrics = await scrape(frontend);
  expect(counted(metrics, "http_requests_total")).toEqual({
    ...{ 200: 42, 204: 5, 404: 3, 405: 4 },
    ...{ 499: 1, 502: 13, 504: 1 },
  });
  expect(counted(metrics, "backend_calls_total")).toEqual({ answered: 42, cancelled: 1, failed: 13, timeout: 1 });
  expect(metrics.get("backend_calls_waiting")).toBe(0);
  // One a second, if the machine is not too busy: four of the call that was never answered, one of the other.
  expect(metrics.get("backend_hedges_total")).toBeWithin(2, 8);
  expect(metrics.get("backend_addresses")).toBe(1);
  expect(metrics.get("backend_addresses_left_out")).toBe(0);
  const duration = (suffix: string) => metrics.get(`http_request_duration_seconds_${suffix}`);
  expect(duration("count")).toBe(57);
  expect(duration('bucket{le="1"}')).toBe(55);
  expect(duration('bucket{le="2.5"}')).toBe(56);
  expect(duration('bucket{le="6"}')).toBe(57);
  expect(duration("sum")).toBeWithin(took + 1, took + 3);
});

test("the frontend counts the retries of a call whose backend comes back", async () => {
  const backend = await startService("api-backend");
  const frontend = await startFrontend(backend.port);
  backend.child.kill("SIGKILL");
  await backend.child.exited;
  const late = fetch(urlOf(frontend, "/"));
  await Bun.sleep(300);
  await startService("api-backend", { PORT: String(backend.port) });
  expect((await late).status).toBe(200);
  const metrics = await scrape(frontend);
  expect(metrics.get("backend_retries_total")).toBeWithin(2, 20);
  expect(counted(metrics, "backend_calls_total")).toEqual({ answered: 1 });
});
