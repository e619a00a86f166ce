// Measures how throughput, latency and cost grow with frontends, backends and connections, writes
// bench/scale/growth.json, and publishes it (growth-report.ts). The images run in containers, as make build leaves them.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { runOrThrow } from "../../host/command.ts";
import { type Container, dockerOrThrow, inspect } from "../../host/docker.ts";
import { cpuTimeMs, memoryMib } from "../../host/processes.ts";
import { BODY, PORT, type ServiceName } from "../../lab/services.ts";
import { spreadOf } from "../../testing/statistics.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { CORE } from "../measure.ts";
import { runWrk } from "../wrk.ts";
import { publish } from "./growth-report.ts";
import { GROWTH_FILE, type Growth, type Shape } from "./growth-results.ts";

const ROUNDS = 3;
const WARM_UP_S = 1;
const DURATION_S = 4;

const shape = (frontends: number, backends: number, connections: number): Shape => ({
  frontends,
  backends,
  connections,
});
const SHAPES = [
  // With more of the one, the other, or both.
  ...[1, 2, 3, 4].map((count) => shape(1, count, 64)),
  ...[2, 3, 4].map((count) => shape(count, 1, 64)),
  ...[2, 3, 4].map((count) => shape(count, count, 64)),
  ...[1, 4, 16, 256, 1024, 4096].map((connections) => shape(1, 2, connections)),
];

const NETWORK = `tpdockergrowth${process.pid}`;
const containers: string[] = [];
const progress = (text: string) => console.error(`==> ${text}`);

async function start(service: ServiceName, core: number): Promise<Container> {
  const environment = service === "api-frontend" ? ["API_BACKEND_URL=backends", "API_BACKEND_PORT=8001"] : [];
  const id = await dockerOrThrow(
    ...["run", "--detach", "--network", NETWORK, "--cpuset-cpus", String(core), "--no-healthcheck"],
    ...(service === "api-backend" ? ["--network-alias", "backends"] : []),
    ...environment.flatMap((variable) => ["--env", variable]),
    `tpdocker/${service}:latest`,
  );
  containers.push(id);
  const container = await inspect<Container>(id);
  await waitUntil(
    `${service} answers`,
    async () => (await (await fetch(urlOf(service, container))).text()) === BODY[service],
  );
  return container;
}

const urlOf = (service: ServiceName, { NetworkSettings }: Container) =>
  `http://${NetworkSettings.Networks[NETWORK]?.IPAddress}:${PORT[service]}/`;

async function removeContainers(): Promise<void> {
  if (containers.length > 0) await dockerOrThrow("rm", "--force", ...containers.splice(0));
}

async function startAll(service: ServiceName, count: number, core: number): Promise<Container[]> {
  const started: Container[] = [];
  for (let i = 0; i < count; i++) started.push(await start(service, core));
  return started;
}

/** One round of one shape: CPU per request in µs, latency in µs, memory of one frontend in MiB. */
async function measure({ frontends, backends, connections }: Shape) {
  // wrk has the core of the backends: what the frontends take is not mixed with it.
  const backendPids = (await startAll("api-backend", backends, CORE.others)).map(({ State }) => State.Pid);
  const running = await startAll("api-frontend", frontends, CORE.measured);
  const frontendPids = running.map(({ State }) => State.Pid);
  const load = (seconds: number) =>
    Promise.all(
      running.map((frontend, i) =>
        runWrk(urlOf("api-frontend", frontend), {
          connections: Math.floor(connections / frontends) + (i < connections % frontends ? 1 : 0),
          core: CORE.others,
          seconds,
        }),
      ),
    );
  await load(WARM_UP_S);
  const before = { frontends: cpuTimeMs(frontendPids), backends: backendPids.map((pid) => cpuTimeMs([pid])) };
  const measured = await load(DURATION_S);
  const requests = measured.reduce((sum, one) => sum + one.requests, 0);
  const shares = backendPids.map((pid, i) => cpuTimeMs([pid]) - (before.backends[i] ?? 0));
  const backendMs = shares.reduce((sum, share) => sum + share, 0);
  const memory = memoryMib(frontendPids.slice(0, 1)).private;
  const result = {
    frontendCpu: ((cpuTimeMs(frontendPids) - before.frontends) * 1000) / requests,
    backendCpu: (backendMs * 1000) / requests,
    rate: measured.reduce((sum, { requests, errors, duration }) => sum + (requests - errors) / (duration / 1e6), 0),
    errors: measured.reduce((sum, one) => sum + one.errors, 0) / requests,
    p50: Math.max(...measured.map(({ p50 }) => p50)),
    p99: Math.max(...measured.map(({ p99 }) => p99)),
    memory,
    /** The backend with the most to do, by CPU time, beside what each would have if all had the same. */
    imbalance: (Math.max(...shares) * shares.length) / backendMs,
  };
  await removeContainers();
  return result;
}

process.on("SIGINT", () => process.exit(130)).on("SIGTERM", () => process.exit(143));
process.on("exit", () => {
  // Nothing asynchronous runs any more.
  if (containers.length > 0)
    Bun.spawnSync(["docker", "rm", "--force", ...containers], { stdio: ["ignore", "ignore", "ignore"] });
  Bun.spawnSync(["docker", "network", "rm", NETWORK], { stdio: ["ignore", "ignore", "ignore"] });
});

if (cpus().length < 2) throw new Error("two cores are needed: one for the frontends, one for the rest");
await runOrThrow(["taskset", "--all-tasks", "--cpu-list", "--pid", String(CORE.others), String(process.pid)]);
await dockerOrThrow("network", "create", NETWORK);

// Round by round, so that changes on the machine during the run affect all shapes alike.
const rounds = SHAPES.map((): Awaited<ReturnType<typeof measure>>[] => []);
for (let round = 1; round <= ROUNDS; round++) {
  for (const [i, one] of SHAPES.entries()) {
    const result = await measure(one);
    rounds[i]?.push(result);
    progress(
      `round ${round} of ${ROUNDS}: ${one.frontends} frontends, ${one.backends} backends, ${one.connections} connections: ` +
        `${result.frontendCpu.toFixed(1)} µs, ${Math.round(result.rate)} requests/s`,
    );
  }
}
const growth: Growth = {
  cpu: cpus()[0]?.model ?? "unknown",
  rounds: ROUNDS,
  entries: SHAPES.map((one, i) => {
    const spread = (key: keyof Awaited<ReturnType<typeof measure>>) =>
      spreadOf((rounds[i] ?? []).map((round) => round[key]));
    return {
      ...one,
      frontendCpu: spread("frontendCpu"),
      backendCpu: spread("backendCpu"),
      rate: spread("rate"),
      errors: spread("errors"),
      p50: spread("p50"),
      p99: spread("p99"),
      memory: spread("memory"),
      imbalance: spread("imbalance"),
    };
  }),
};
writeFileSync(GROWTH_FILE, `${JSON.stringify(growth, null, 2)}\n`);
publish(growth);
