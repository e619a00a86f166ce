// More than one backend behind the name that the frontend calls, as the engine's name server answers it.
import { expect, test } from "bun:test";
import { count, percentile, slowest } from "../../host/load.ts";
import { freePort } from "../../host/tcp.ts";
import { BODY } from "../../lab/services.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { addressOf, docker, EXTRA, type LoadedStack, NETWORK, RATE, removeExtras } from "./loaded-stack.ts";
import { formatMs, report, requestCells } from "./report.ts";

/** Milliseconds within which a change of the addresses is followed. */
const FOLLOWED_MS = 3000;
/** A call that a silent backend has got is hedged after a second: few may be as late as that. */
const LATE_MS = 900;
const LATE_PART = 0.03;

export function testManyBackends(loaded: LoadedStack): void {
  const startBackend = (name: string) =>
    // At level debug it logs each request.
    docker(
      ...["run", "--detach", "--name", name, "--network", NETWORK, "--network-alias", "api-backend"],
      ...["--env", "LOG_LEVEL=debug", loaded.stack.image("api-backend")],
    );
  const served = async (name: string) => (await docker("logs", name)).split('"path":"/"').length - 1;
  const servedWithin = async (name: string, ms: number) => {
    const before = await served(name);
    await Bun.sleep(ms);
    return (await served(name)) - before;
  };

  test("several backends share the requests, and one that is killed or silent loses none", async () => {
    const [killed, paused] = EXTRA;
    const client = loaded.frontendClient();
    const seconds = 14;
    const load = client.load(RATE, seconds);
    const notes: string[] = [];
    try {
      await Promise.all([startBackend(killed), startBackend(paused)]);
      const started = performance.now();
      await waitUntil("both get requests", async () => (await served(killed)) > 0 && (await served(paused)) > 0);
      const followed = performance.now() - started;
      expect(followed).toBeLessThan(FOLLOWED_MS);
      const share = (await servedWithin(paused, 1000)) / RATE;
      expect(share).toBeWithin(0.2, 0.5);
      await docker("rm", "--force", killed);
      await Bun.sleep(1000);
      await docker("pause", paused);
      await Bun.sleep(2000);
      await docker("unpause", paused);
      const back = performance.now();
      await waitUntil("the one that was silent gets requests", async () => (await servedWithin(paused, 200)) > 10);
      notes.push(
        `a new one gets requests after ${formatMs(followed)}, one that was silent after ${formatMs(performance.now() - back)}`,
      );
    } finally {
      // The load runs on while the last of them stops.
      await docker("stop", paused).catch(() => {});
      await removeExtras();
    }
    const samples = await load;
    client.close();
    notes.push(`slowest ${formatMs(slowest(samples))}`, `p99 ${formatMs(percentile(samples, 0.99))}`);
    report(
      "survived",
      requestCells("3 backends: one killed, one silent for 2 s, one stopped", "`200`", samples, notes.join("; ")),
    );
    expect(count(samples, "expected")).toBe(RATE * seconds);
    expect(samples.filter(({ ms }) => ms > LATE_MS).length).toBeLessThan(LATE_PART * samples.length);
  });

  test("dead addresses of the backend's name do not delay the first request", async () => {
    const [frontend] = EXTRA;
    const address = await addressOf((await loaded.stack.container("api-backend")).Id);
    // Nobody has these: packets to them get no answer.
    const dead = Array.from({ length: 8 }, (_, i) => address.replace(/\d+$/, String(240 + i)));
    const hosts = [...dead, address].flatMap((ip) => ["--add-host", `backend.example:${ip}`]);
    const port = await freePort();
    const variables = ["--env", "API_BACKEND_URL=backend.example", "--env", "API_BACKEND_PORT=8001"];
    const options = ["--name", frontend, "--network", NETWORK, "--publish", `127.0.0.1:${port}:8000`];
    await docker("run", "--detach", ...options, ...hosts, ...variables, loaded.stack.image("api-frontend"));
    try {
      await waitUntil("the frontend listens", () => sendRaw(port, rawRequest("GET", "/healthz")));
      const start = performance.now();
      expect(await sendRaw(port, rawRequest("GET", "/"))).toEndWith(BODY["api-frontend"]);
      expect(performance.now() - start).toBeLessThan(500);
    } finally {
      await removeExtras();
    }
  });
}
