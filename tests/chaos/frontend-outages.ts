import { expect, test } from "bun:test";
import { createConnection } from "node:net";
import { MAX_CALLS } from "../../api-frontend/backend.ts";
import { count, LoadClient, p99, percentile, slowest } from "../../host/load.ts";
import { DRAIN_MS } from "../../service/drain.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { errorBody, TIMED_OUT } from "./faulty-backends.ts";
import {
  docker,
  durationOf,
  EXTRA,
  exitCodeOf,
  type LoadedStack,
  NETWORK,
  RATE,
  removeExtras,
  runOf,
} from "./loaded-stack.ts";
import { formatMs, report, requestCells } from "./report.ts";

const STOP_RATE = 500;
const OVERLOADED = [503, errorBody("too many requests wait for the backend")];
const MEMORY_LIMIT_MIB = 256;

/** Registers the tests in which the frontend itself is stopped, crashes, or is overloaded. */
export function testFrontendOutages(loaded: LoadedStack): void {
  test("a frontend that is stopped answers every request that it has accepted", async () => {
    const { Id } = await loaded.stack.container("api-frontend");
    await docker("stop", Id);
    let stopped: Awaited<ReturnType<typeof stopUnderLoad>>;
    try {
      stopped = await stopUnderLoad(loaded);
    } finally {
      await removeExtras();
      await docker("start", Id);
      await waitUntil("the frontend serves again", () => loaded.serves("api-frontend"));
    }
    const { samples, took, log, exitCode } = stopped;
    const responses = log.filter(({ event, path, status }) => event === "request" && path === "/" && status === 200);
    // One was the test's own, to see that it serves.
    const accepted = responses.length - 1;
    const expected = count(samples, "expected");
    const late = samples.filter(({ outcome }) => outcome === "closed" || outcome === "refused");
    const notes = [
      `stopped within ${formatMs(took)}, exit code ${exitCode}`,
      `${late.length} more requests came too late: connection closed or refused`,
    ];
    const before = samples.filter((sample) => !late.includes(sample));
    report("survived", {
      ...requestCells("frontend: `docker stop` (requests accepted before it)", "`200`", before, notes.join("; ")),
      "no response": accepted - expected + count(samples, "truncated", "timeout"),
    });
    expect(accepted).toBe(expected);
    expect(count(samples, "wrong", "truncated", "timeout")).toBe(0);
    expect(expected).toBeGreaterThan(STOP_RATE / 10);
    expect([exitCode, log.at(-1)]).toMatchObject(["0", { event: "stop", outcome: "drained" }]);
    expect(took).toBeLessThan(DRAIN_MS);
  });

  test("a crash of the frontend loses only what is in flight, and what comes while it is down", async () => {
    const client = loaded.frontendClient();
    const crash = () => loaded.crash("api-frontend");
    const [samples, outage] = await Promise.all([client.load(RATE, 5), Bun.sleep(1000).then(crash)]);
    client.close();
    const lost = samples.filter(({ outcome }) => outcome !== "expected");
    const inFlight = lost.filter(({ at }) => at < outage.from);
    const whileDown = `${lost.length - inFlight.length} sent while it was down, for ${formatMs(durationOf(outage))}`;
    const notes = `lost: ${inFlight.length} in flight at the crash, ${whileDown}`;
    report("frontend", requestCells("frontend: `/traceback`", "`200`, none while it is down", samples, notes));
    expect(lost.every(({ at, outcome }) => at < outage.to && ["closed", "refused"].includes(outcome))).toBe(true);
    expect(inFlight.every(({ at, ms }) => at + ms >= outage.from - 50)).toBe(true);
  });

  test("an overloaded frontend refuses requests at once, and recovers", async () => {
    const { stack } = loaded;
    const backend = await stack.container("api-backend");
    const frontend = await stack.container("api-frontend");
    const before = await runOf(stack, "api-frontend");
    const total = 2 * MAX_CALLS;
    const client = new LoadClient(stack.ports["api-frontend"], (...response) =>
      [OVERLOADED, TIMED_OUT].some((allowed) => Bun.deepEquals(response, allowed)),
    );
    await docker("pause", backend.Id);
    try {
      // Over two seconds, so that refused requests free their connection for the next ones: docker-proxy of Engine 20.10
      // needs six file descriptors for each connection, and exits when it has none left.
      const samples = await client.load(total / 2, 2);
      const refused = samples.filter(({ status }) => status === 503);
      const timedOut = samples.filter(({ status }) => status === 504);
      const peak = await peakMemory(frontend.Id);
      const expected = `\`504\` for the ${MAX_CALLS} that may wait, \`503\` for the others`;
      const notes = [
        `slowest \`503\` after ${formatMs(slowest(refused))}`,
        `peak of memory ${peak.toFixed(0)} MiB of ${MEMORY_LIMIT_MIB}`,
      ];
      report("frontend", requestCells("overload: the backend hangs", expected, samples, notes.join("; ")));
      expect(count(samples, "expected")).toBe(total);
      expect([timedOut.length, refused.length]).toEqual([MAX_CALLS, total - MAX_CALLS]);
      expect(refused.every(({ response }) => /^retry-after: 1\r$/im.test(response))).toBe(true);
      expect(percentile(refused, 0.5)).toBeLessThan(1000);
      expect(peak).toBeLessThan(MEMORY_LIMIT_MIB);
    } finally {
      client.close();
      await docker("unpause", backend.Id);
    }
    await waitUntil("the frontend serves again", () => loaded.serves("api-frontend"), 2000);
    expect(await runOf(stack, "api-frontend")).toEqual(before);
  });

  test("a thousand slow clients do not delay a normal one", async () => {
    const SLOW = 1000;
    const port = loaded.stack.ports["api-frontend"];
    const slow = Array.from({ length: SLOW }, () => {
      const socket = createConnection(port, "127.0.0.1", () => socket.write("GET / HTTP/1.1\r\nHost: local"));
      return socket.on("error", () => {});
    });
    const drip = setInterval(() => {
      for (const socket of slow) if (socket.writable) socket.write("h");
    }, 1000);
    await Bun.sleep(2000);
    const open = slow.filter(({ readyState }) => readyState === "open").length;
    const client = loaded.frontendClient();
    const samples = await client.load(RATE, 4);
    client.close();
    clearInterval(drip);
    for (const socket of slow) socket.destroy();
    const notes = `requests of a normal client; p99 ${formatMs(p99(samples))}`;
    report("frontend", requestCells(`${open} slow clients beside a normal one`, "`200`", samples, notes));
    expect(open).toBe(SLOW);
    expect(count(samples, "expected")).toBe(RATE * 4);
    expect(percentile(samples, 0.5)).toBeLessThan(250);
  });
}

/** Runs a frontend that logs every request in place of the stack's, and stops it under load. */
async function stopUnderLoad(loaded: LoadedStack) {
  const { stack } = loaded;
  const [container] = EXTRA;
  const variables = ["LOG_LEVEL=debug", "API_BACKEND_URL=api-backend", "API_BACKEND_PORT=8001"];
  const published = `${stack.ports["api-frontend"]}:8000`;
  const options = ["--detach", "--name", container, "--network", NETWORK, "--publish", published];
  await docker("run", ...options, ...variables.flatMap((value) => ["--env", value]), stack.image("api-frontend"));
  await waitUntil("the frontend serves", () => loaded.serves("api-frontend"));
  const client = loaded.frontendClient();
  const stop = async () => {
    await Bun.sleep(1000);
    const start = performance.now();
    await docker("stop", container);
    return performance.now() - start;
  };
  const [samples, took] = await Promise.all([client.load(STOP_RATE, 3), stop()]);
  client.close();
  const log: Record<string, unknown>[] = (await docker("logs", container)).split("\n").map((line) => JSON.parse(line));
  return { samples, took, log, exitCode: await exitCodeOf(container) };
}

/** The peak of a container's memory in MiB; under cgroup v2, where the engine does not report it, the current value. */
async function peakMemory(id: string): Promise<number> {
  const url = `http://localhost/containers/${id}/stats?stream=false&one-shot=true`;
  const stats = await (await fetch(url, { unix: "/var/run/docker.sock" })).json();
  const { max_usage, usage } = (stats as { memory_stats: { max_usage?: number; usage: number } }).memory_stats;
  return (max_usage ?? usage) / 1024 ** 2;
}
