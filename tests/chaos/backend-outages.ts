import { expect, test } from "bun:test";
import { join } from "node:path";
import { BUDGET_MS } from "../../api-frontend/backend.ts";
import { count, p99, slowest } from "../../host/load.ts";
import { freePort } from "../../host/tcp.ts";
import { BODY } from "../../lab/services.ts";
import { DRAIN_MS } from "../../service/drain.ts";
import { BUN } from "../../testing/base-images.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import {
  addressOf,
  docker,
  durationOf,
  EXTRA,
  exitCodeOf,
  type LoadedStack,
  NETWORK,
  type Outage,
  outsideOf,
  RATE,
  removeExtras,
  runOf,
} from "./loaded-stack.ts";
import { FULL, formatMs, report, requestCells } from "./report.ts";

const CRASHES = FULL ? 3 : 1;
/** The engine doubles its restart delay after each crash unless the container has run for ten seconds before. */
const BETWEEN_CRASHES_MS = 8500;
const STOP_RATE = 500;
const STOP_S = 5;
/**
 * How many times slower responses outside of the outage may be (p99) than before it, or than those of the control server
 * beside the stack, whichever is slower, but at least `LATENCY_FLOOR_MS`.
 */
const SLOWDOWN_LIMIT = 5;
const LATENCY_FLOOR_MS = 5;

/** Registers the tests in which the backend goes and comes back under load: the frontend answers every request. */
export function testBackendOutages(loaded: LoadedStack): void {
  /** Loads the frontend while `cause` makes the backend fail, given its container's id. */
  async function expectNothingLost(fault: string, seconds: number, cause: (id: string) => Promise<Outage[]>) {
    const { stack } = loaded;
    const { Id } = await stack.container("api-backend");
    const before = await runOf(stack, "api-frontend");
    const client = loaded.frontendClient();
    const control = loaded.controlClient();
    const undisturbed = await client.load(RATE, FULL ? 5 : 2);
    const [samples, controlSamples, outages] = await Promise.all([
      client.load(RATE, seconds),
      control.load(RATE, seconds),
      Bun.sleep(1000).then(() => cause(Id)),
    ]);
    client.close();
    control.close();
    const outside = outsideOf(outages, samples);
    const p99Before = p99(undisturbed);
    const p99Outside = p99(outside);
    const p99Control = p99(outsideOf(outages, controlSamples));
    const notes = [
      `backend down for up to ${formatMs(Math.max(...outages.map(durationOf)))}`,
      `slowest response ${formatMs(slowest(samples))}`,
      `p99 ${formatMs(p99Before)} before, ${formatMs(p99Outside)} outside of the outage`,
      `a minimal server beside it ${formatMs(p99Control)}`,
    ];
    report("survived", requestCells(fault, "`200`", samples, notes.join("; ")));
    expect(count(samples, "expected")).toBe(RATE * seconds);
    expect(outside.length).toBeGreaterThan(0);
    // Connection attempts that hang after an outage would cost a second each.
    expect(p99Outside).toBeLessThan(SLOWDOWN_LIMIT * Math.max(p99Before, p99Control, LATENCY_FLOOR_MS));
    expect(await runOf(stack, "api-frontend")).toEqual(before);
  }

  test("no request is lost when the backend crashes", () =>
    expectNothingLost(`backend: \`/traceback\`, ${CRASHES}×`, 10 * CRASHES - (FULL ? 0 : 4), async () => {
      const outages: Outage[] = [];
      for (let i = 0; i < CRASHES; i++) {
        outages.push(await loaded.crash("api-backend"));
        if (i < CRASHES - 1) await Bun.sleep(BETWEEN_CRASHES_MS);
      }
      return outages;
    }));

  test("no request is lost when the backend is killed and started again", () =>
    expectNothingLost("backend: `docker kill`, `docker start`", 6, async (id) => [
      await loaded.outage("api-backend", async () => {
        await docker("kill", id);
        await docker("start", id);
      }),
    ]));

  test("no request is lost when the backend is restarted", () =>
    expectNothingLost("backend: `docker restart`", 6, async (id) => [
      await loaded.outage("api-backend", () => docker("restart", id)),
    ]));

  test("no request is lost when the backend is recreated with another address", async () => {
    const { stack } = loaded;
    const [placeholder, replacement] = EXTRA;
    const oldAddress = await addressOf((await stack.container("api-backend")).Id);
    const image = stack.image("api-backend");
    const alias = ["--network-alias", "api-backend", "--publish", `${stack.ports["api-backend"]}:8001`];
    // Created beforehand to keep the outage short; a container gets its address when it starts.
    await docker("create", "--name", placeholder, "--network", NETWORK, image);
    await docker("create", "--name", replacement, "--network", NETWORK, ...alias, image);
    try {
      await expectNothingLost("backend: recreated with another address", 6, async (id) => [
        await loaded.outage("api-backend", async () => {
          await docker("rm", "--force", id);
          // Takes the address that has become free.
          await docker("start", placeholder);
          await docker("start", replacement);
        }),
      ]);
      expect(await addressOf(replacement)).not.toBe(oldAddress);
    } finally {
      await removeExtras();
      await stack.compose("up", "--detach", "--no-build");
    }
  });

  test("a DNS query without a response is repeated after a second", async () => {
    const { stack } = loaded;
    const [nameServer, frontend] = EXTRA;
    const backendAddress = await addressOf((await stack.container("api-backend")).Id);
    const program = await Bun.file(join(import.meta.dir, "name-server.ts")).text();
    const inNetwork = ["run", "--detach", "--network", NETWORK];
    const command = ["--entrypoint", "", BUN, "bun", "-e", program, backendAddress];
    await docker(...inNetwork, "--name", nameServer, ...command);
    const port = await freePort();
    const variables = ["--env", "API_BACKEND_URL=backend.example", "--env", "API_BACKEND_PORT=8001"];
    const options = ["--name", frontend, "--dns", await addressOf(nameServer), "--publish", `${port}:8000`];
    await docker(...inNetwork, ...options, ...variables, stack.image("api-frontend"));
    try {
      await waitUntil("the frontend listens", () => sendRaw(port, rawRequest("GET", "/healthz")));
      const start = performance.now();
      expect(await sendRaw(port, rawRequest("GET", "/"))).toEndWith(BODY["api-frontend"]);
      const took = performance.now() - start;
      expect(took).toBeGreaterThan(900);
      expect(took).toBeLessThan(BUDGET_MS / 2);
    } finally {
      await removeExtras();
    }
  });

  test("no request is lost when the backend is stopped and started again", async () => {
    const { Id } = await loaded.stack.container("api-backend");
    const client = loaded.frontendClient();
    const stopAndStart = async () => {
      await Bun.sleep(1000);
      const start = performance.now();
      await docker("stop", Id);
      const took = performance.now() - start;
      const exitCode = await exitCodeOf(Id);
      await docker("start", Id);
      return { took, exitCode };
    };
    const [samples, { took, exitCode }] = await Promise.all([client.load(STOP_RATE, STOP_S), stopAndStart()]);
    client.close();
    const notes = `stopped within ${formatMs(took)}, exit code ${exitCode}`;
    report("survived", requestCells("backend: `docker stop`, `docker start`", "`200`", samples, notes));
    expect(exitCode).toBe("0");
    expect(count(samples, "expected")).toBe(STOP_RATE * STOP_S);
    expect(took).toBeLessThan(DRAIN_MS);
  });
}
