// The real stack under load, while its containers crash, are killed, stopped, recreated and overloaded.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { createConnection } from "node:net";
import { join } from "node:path";
import { BUDGET_MS, MAX_WAITING } from "../../api-frontend/backend.ts";
import { run, runOrThrow } from "../../host/command.ts";
import { freePort } from "../../host/tcp.ts";
import { DRAIN_MS } from "../../service/drain.ts";
import { BUN } from "../../testing/base-images.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { BODY, type ServiceName } from "../../testing/services.ts";
import { createTestStack, TEST_NAME } from "../../testing/stack.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { count, p99, percentile, Requester, type Sample } from "./load.ts";
import { FULL, ms, report, rowOf } from "./report.ts";

const stack = await createTestStack();
/** Containers beside the stack. */
const ASIDE = `${TEST_NAME}-aside`;
const AGAIN = `${TEST_NAME}-again`;
/** A bare server beside the stack: what slows it down too is the machine's. */
const controlPort = await freePort();
const serveControl = `Bun.serve({ hostname: "127.0.0.1", port: ${controlPort}, routes: { "/": new Response("up") } })`;
const control = Bun.spawn([process.execPath, "-e", serveControl], { stdout: "ignore", stderr: "inherit" });

beforeAll(async () => {
  await runOrThrow(["make", "up"], stack.env);
  await waitUntil("the control serves", () => sendRaw(controlPort, rawRequest("GET", "/")));
});
afterAll(async () => {
  control.kill();
  await run(["docker", "rm", "--force", ASIDE, AGAIN]);
  await stack.remove();
});

const frontend = () =>
  new Requester(stack.ports["api-frontend"], (status, body) => status === 200 && body === BODY["api-frontend"]);

const serves = async (name: ServiceName, port = stack.ports[name]) =>
  (await sendRaw(port, rawRequest("GET", "/"))).endsWith(BODY[name]);

/** From when to when a service was gone, by `performance.now()`. */
interface Window {
  readonly from: number;
  readonly to: number;
}

/** Does something to a service and waits until it serves again. */
async function gone(name: ServiceName, how: () => Promise<unknown>): Promise<Window> {
  const from = performance.now();
  await how();
  await waitUntil(`${name} serves again`, () => serves(name));
  return { from, to: performance.now() };
}

const traceback = (name: ServiceName) => sendRaw(stack.ports[name], rawRequest("GET", "/traceback"));
const docker = (...args: string[]) => runOrThrow(["docker", ...args]);

/** The samples that were sent while none of these was gone, nor in the half second after: those that wait then queue. */
const outside = (samples: readonly Sample[], windows: readonly Window[]) =>
  samples.filter(({ at }) => windows.every(({ from, to }) => at + 100 < from || at > to + 500));

const RATE = 200;

/** How much slower than before, or than what the machine does to a bare server, the usual answers may be; of 5 ms or more. */
const MOST = 5;

/** Loads the frontend while the backend goes and comes back; nobody must notice. */
async function unnoticed(fault: string, seconds: number, what: (id: string) => Promise<Window[]>): Promise<void> {
  const { Id } = await stack.container("api-backend");
  const before = await stack.container("api-frontend");
  const client = frontend();
  const beside = new Requester(controlPort, (status) => status === 200);
  const quiet = await client.load(RATE, FULL ? 5 : 2);
  const [samples, unaffected, windows] = await Promise.all([
    client.load(RATE, seconds),
    beside.load(RATE, seconds),
    Bun.sleep(1000).then(() => what(Id)),
  ]);
  client.close();
  beside.close();
  const down = Math.max(...windows.map(({ from, to }) => to - from));
  const usual = outside(samples, windows);
  const machine = p99(outside(unaffected, windows));
  const latency = `p99 ${ms(p99(quiet))} before, ${ms(p99(usual))} outside of it (a bare server beside it: ${ms(machine)})`;
  report(
    rowOf(
      fault,
      samples,
      `backend gone for ${ms(down)} at most, slowest answer ${ms(Math.max(...samples.map((sample) => sample.ms)))}, ${latency}`,
    ),
  );
  expect(count(samples, "right")).toBe(RATE * seconds);
  expect(usual.length).toBeGreaterThan(0);
  // Attempts that hang, left behind by what happened, would cost a second each.
  expect(p99(usual)).toBeLessThan(MOST * Math.max(p99(quiet), machine, 5));
  const after = await stack.container("api-frontend");
  expect([after.Id, after.RestartCount, after.State.StartedAt]).toEqual([
    before.Id,
    before.RestartCount,
    before.State.StartedAt,
  ]);
}

const CRASHES = FULL ? 3 : 1;

test("the backend crashes under load", () =>
  unnoticed(`backend: \`/traceback\`, ${CRASHES}×`, 10 * CRASHES - (FULL ? 0 : 4), async () => {
    const windows: Window[] = [];
    for (let i = 0; i < CRASHES; i++) {
      windows.push(await gone("api-backend", () => traceback("api-backend")));
      // The engine waits longer after each crash unless ten seconds lie between (Docker, restart policies).
      if (i < CRASHES - 1) await Bun.sleep(8500);
    }
    return windows;
  }));

test("the backend is killed and started again under load", () =>
  unnoticed("backend: `docker kill`, `docker start`", 6, async (id) => [
    await gone("api-backend", async () => {
      await docker("kill", id);
      await docker("start", id);
    }),
  ]));

test("the backend is restarted under load", () =>
  unnoticed("backend: `docker restart`", 6, async (id) => [await gone("api-backend", () => docker("restart", id))]));

/** The address of a container in the network of the stack. */
const addressOf = async (id: string) =>
  docker("inspect", "--format", `{{(index .NetworkSettings.Networks "${TEST_NAME}_lab").IPAddress}}`, id);

test("the backend is recreated with another address under load", async () => {
  const address = await addressOf((await stack.container("api-backend")).Id);
  const port = `${stack.ports["api-backend"]}:8001`;
  const network = ["--network", `${TEST_NAME}_lab`];
  // Made beforehand: a container has no address before it starts.
  await docker("create", "--name", ASIDE, ...network, stack.image("api-backend"));
  const again = ["--network-alias", "api-backend", "--publish", port, stack.image("api-backend")];
  await docker("create", "--name", AGAIN, ...network, ...again);
  try {
    await unnoticed("backend: recreated with another address", 6, async (id) => [
      await gone("api-backend", async () => {
        await docker("rm", "--force", id);
        // It takes the address that is free now.
        await docker("start", ASIDE);
        await docker("start", AGAIN);
      }),
    ]);
    expect(await addressOf(AGAIN)).not.toBe(address);
  } finally {
    await docker("rm", "--force", ASIDE, AGAIN);
    await stack.compose("up", "--detach", "--no-build");
  }
});

test("a name whose first questions are lost is asked for again after a second", async () => {
  const { Id } = await stack.container("api-backend");
  const network = ["--network", `${TEST_NAME}_lab`];
  const program = ["bun", "-e", await Bun.file(join(import.meta.dir, "name-server.ts")).text(), await addressOf(Id)];
  await docker("run", "--detach", "--name", ASIDE, ...network, "--entrypoint", "", BUN, ...program);
  const port = await freePort();
  const variables = ["--env", "API_BACKEND_URL=backend.example", "--env", "API_BACKEND_PORT=8001"];
  const options = ["--detach", "--name", AGAIN, "--dns", await addressOf(ASIDE), "--publish", `${port}:8000`];
  await docker("run", ...options, ...network, ...variables, stack.image("api-frontend"));
  try {
    await waitUntil("it listens", () => sendRaw(port, rawRequest("GET", "/healthz")));
    const start = performance.now();
    expect(await sendRaw(port, rawRequest("GET", "/"))).toEndWith(BODY["api-frontend"]);
    const took = performance.now() - start;
    expect(took).toBeGreaterThan(900);
    expect(took).toBeLessThan(BUDGET_MS / 2);
  } finally {
    await docker("rm", "--force", ASIDE, AGAIN);
  }
});

const STOP_RATE = 500;

test("the backend is stopped under load, and started again", async () => {
  const { Id } = await stack.container("api-backend");
  const client = frontend();
  let took = 0;
  const stop = async () => {
    await Bun.sleep(1000);
    const start = performance.now();
    await docker("stop", Id);
    took = performance.now() - start;
    const code = await docker("inspect", "--format", "{{.State.ExitCode}}", Id);
    await docker("start", Id);
    return code;
  };
  const [samples, code] = await Promise.all([client.load(STOP_RATE, 5), stop()]);
  client.close();
  report(rowOf("backend: `docker stop`, `docker start`", samples, `stopped in ${ms(took)}, exit code ${code}`));
  expect(code).toBe("0");
  expect(count(samples, "right")).toBe(STOP_RATE * 5);
  expect(took).toBeLessThan(DRAIN_MS);
});

test("the frontend is stopped under load", async () => {
  const { Id } = await stack.container("api-frontend");
  await docker("stop", Id);
  let stopped: Awaited<ReturnType<typeof stopUnderLoad>>;
  try {
    stopped = await stopUnderLoad();
  } finally {
    await run(["docker", "rm", "--force", ASIDE]);
    await docker("start", Id);
    await waitUntil("the frontend serves again", () => serves("api-frontend"));
  }
  const { samples, took, log, code } = stopped;
  const accepted =
    log.filter(({ event, path, status }) => event === "request" && path === "/" && status === 200).length - 1;
  const answered = count(samples, "right");
  const sent = samples.length - count(samples, "closed", "refused");
  report({
    fault: "frontend: `docker stop`",
    sent,
    failed: count(samples, "wrong"),
    lost: accepted - answered + count(samples, "cut", "late"),
    note: `stopped in ${ms(took)}, exit code ${code}; ${samples.length - sent} more came after the stop`,
  });
  expect(accepted).toBe(answered);
  expect(count(samples, "wrong", "cut", "late")).toBe(0);
  expect(answered).toBeGreaterThan(STOP_RATE / 10);
  expect([code, log.at(-1)]).toMatchObject(["0", { event: "stop", outcome: "drained" }]);
  expect(took).toBeLessThan(DRAIN_MS);
});

/** Stops a frontend that logs each request that it answers, in place of the stack's. */
async function stopUnderLoad() {
  const variables = ["LOG_LEVEL=debug", "API_BACKEND_URL=api-backend", "API_BACKEND_PORT=8001"];
  const published = `${stack.ports["api-frontend"]}:8000`;
  const options = ["--detach", "--name", ASIDE, "--network", `${TEST_NAME}_lab`, "--publish", published];
  await docker("run", ...options, ...variables.flatMap((variable) => ["--env", variable]), stack.image("api-frontend"));
  await waitUntil("it serves", () => serves("api-frontend"));
  const client = frontend();
  let took = 0;
  const stop = async () => {
    await Bun.sleep(1000);
    const start = performance.now();
    await docker("stop", ASIDE);
    took = performance.now() - start;
  };
  const [samples] = await Promise.all([client.load(STOP_RATE, 3), stop()]);
  client.close();
  const log: Record<string, unknown>[] = (await docker("logs", ASIDE)).split("\n").map((line) => JSON.parse(line));
  return { samples, took, log, code: await docker("inspect", "--format", "{{.State.ExitCode}}", ASIDE) };
}

test("the frontend crashes under load", async () => {
  const client = frontend();
  const [samples, window] = await Promise.all([
    client.load(RATE, 5),
    Bun.sleep(1000).then(() => gone("api-frontend", () => traceback("api-frontend"))),
  ]);
  client.close();
  const failed = samples.filter(({ outcome }) => outcome !== "right");
  const inFlight = failed.filter(({ at }) => at < window.from);
  report({
    ...rowOf(
      "frontend: `/traceback`",
      samples,
      `of the lost, ${inFlight.length} were in flight, the others came while it was gone, for ${ms(window.to - window.from)}`,
    ),
  });
  expect(failed.every(({ at, outcome }) => at < window.to && (outcome === "closed" || outcome === "refused"))).toBe(
    true,
  );
  expect(inFlight.every(({ at, ms }) => at + ms >= window.from - 50)).toBe(true);
});

test("past its bound the frontend refuses at once, and recovers by itself", async () => {
  const backend = await stack.container("api-backend");
  const before = await stack.container("api-frontend");
  const BURST = 2 * MAX_WAITING;
  const client = new Requester(stack.ports["api-frontend"], (status) => status === 503);
  await docker("pause", backend.Id);
  try {
    // In two seconds, so that those who are refused ask again over the same connection: docker-proxy of Engine 20.10
    // needs six file descriptors for each, and ends when it has no more.
    const samples = await client.load(BURST / 2, 2);
    const refused = samples.filter(({ outcome }) => outcome === "right");
    const late = samples.filter(({ answer }) => answer.startsWith("HTTP/1.1 504 "));
    const slowest = Math.max(...refused.map((sample) => sample.ms));
    const peak = await peakOf(before.Id);
    report({
      fault: "overload: the backend hangs",
      sent: BURST,
      failed: BURST - refused.length - late.length,
      lost: count(samples, "cut", "closed", "refused", "late"),
      note: `${refused.length} refused with 503 after ${ms(slowest)} at most, ${late.length} given up with 504; at most ${peak.toFixed(0)} MiB of 256`,
    });
    expect([late.length, refused.length]).toEqual([MAX_WAITING, BURST - MAX_WAITING]);
    expect(refused.every(({ answer }) => /^retry-after: 1\r$/im.test(answer))).toBe(true);
    expect(percentile(refused, 0.5)).toBeLessThan(1000);
    expect(peak).toBeLessThan(256);
  } finally {
    client.close();
    await docker("unpause", backend.Id);
  }
  await waitUntil("it serves again", () => serves("api-frontend"), 2000);
  const after = await stack.container("api-frontend");
  expect([after.RestartCount, after.State.StartedAt]).toEqual([before.RestartCount, before.State.StartedAt]);
});

/** The most memory that a container has held, in MiB: with cgroups of version 1 the peak, else what it holds now. */
async function peakOf(id: string): Promise<number> {
  const url = `http://localhost/containers/${id}/stats?stream=false&one-shot=true`;
  const stats = await (await fetch(url, { unix: "/var/run/docker.sock" })).json();
  const { max_usage, usage } = (stats as { memory_stats: { max_usage?: number; usage: number } }).memory_stats;
  return (max_usage ?? usage) / 1024 ** 2;
}

test("a thousand slow clients do not keep a normal one from its answer", async () => {
  const SLOW = 1000;
  const port = stack.ports["api-frontend"];
  const slow = Array.from({ length: SLOW }, () => {
    const socket = createConnection(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nHost: local"));
    return socket.on("error", () => {});
  });
  const drip = setInterval(() => {
    for (const socket of slow) if (socket.writable) socket.write("h");
  }, 1000);
  await Bun.sleep(2000);
  const open = slow.filter(({ readyState }) => readyState === "open").length;
  const client = frontend();
  const samples = await client.load(RATE, 4);
  client.close();
  clearInterval(drip);
  for (const socket of slow) socket.destroy();
  report(rowOf(`${open} slow clients`, samples, `p99 of the normal one ${ms(p99(samples))}`));
  expect(open).toBe(SLOW);
  expect(count(samples, "right")).toBe(RATE * 4);
  expect(percentile(samples, 0.5)).toBeLessThan(250);
});
