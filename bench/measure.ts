import { connect } from "node:net";
import { cpuTimeMs, memoryMib, processTree } from "../host/processes.ts";
import { freePort } from "../host/tcp.ts";
import type { Peer, Ports, Service } from "./peers.ts";
import { runWrk } from "./wrk.ts";

/** The measured service has a core of its own; wrk, a frontend's backend and this program share the other. */
export const CORE = { measured: 0, others: 1 } as const;

const LOAD = { connections: 64, core: CORE.others };
const DURATION_S = 4;
const WARM_UP_S = 2;
const STARTS_PER_ROUND = 3;

/** What one round measures for a service. */
export interface Round {
  /** CPU per request in µs: CPU time of the service's processes divided by the requests that they answered. */
  readonly cpu: number;
  /** Requests per second. */
  readonly rate: number;
  /** Latency percentiles in µs. */
  readonly p50: number;
  readonly p99: number;
  /** Time in ms from each start to the first response. */
  readonly starts: readonly number[];
  /** Memory in MiB. */
  readonly idle: Memory;
  readonly loaded: Memory;
}
type Memory = ReturnType<typeof memoryMib>;

const running = new Set<Bun.Subprocess>();

/** Terminates all services that still run; those with worker processes end them too. */
export function terminateServices(): void {
  for (const child of running) child.kill("SIGTERM");
}

/** Starts a service several times, then measures the last process idle and under load. */
export async function measure(peer: Peer, service: Service, folder: string): Promise<Round> {
  const port = await freePort();
  const backendPort = await freePort();
  const asBackend = { port: backendPort, backendPort };
  const backend = service === "frontend" ? await start(peer, "backend", asBackend, folder, CORE.others) : undefined;
  const starts: number[] = [];
  const startOnce = async () => {
    const { child, took } = await start(peer, service, { port, backendPort }, folder, CORE.measured);
    starts.push(took);
    return child;
  };
  let child = await startOnce();
  while (starts.length < STARTS_PER_ROUND) {
    await stop(child);
    child = await startOnce();
  }
  const pids = processTree(child.pid);
  await Bun.sleep(1000);
  const idle = memoryMib(pids);
  const url = `http://127.0.0.1:${port}/`;
  await runWrk(url, { ...LOAD, seconds: WARM_UP_S });
  const before = cpuTimeMs(pids);
  const { requests, errors, duration, p50, p99 } = await runWrk(url, { ...LOAD, seconds: DURATION_S });
  if (errors > 0) throw new Error(`${peer.name}, ${service}: ${errors} of ${requests} requests failed`);
  const cpu = ((cpuTimeMs(pids) - before) * 1000) / requests;
  const loaded = memoryMib(pids);
  await checkResponse(port, peer.response(service));
  await stop(child);
  if (backend !== undefined) await stop(backend.child);
  return { cpu, rate: requests / (duration / 1e6), p50, p99, starts, idle, loaded };
}

/** Starts a service and waits for its first response; also returns the time in ms that this took. */
async function start(peer: Peer, service: Service, ports: Ports, folder: string, core: number) {
  const { argv, env } = peer.command(service, ports, folder);
  const begin = performance.now();
  const child = Bun.spawn(["taskset", "--cpu-list", String(core), ...argv], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  running.add(child);
  while (!(await responds(ports.port))) {
    if (child.exitCode !== null)
      throw new Error(`${peer.name}, ${service}: exited with ${child.exitCode} at its start`);
    if (performance.now() - begin > 30_000) throw new Error(`${peer.name}, ${service}: no response within 30 s`);
  }
  return { child, took: performance.now() - begin };
}

async function stop(child: Bun.Subprocess): Promise<void> {
  child.kill();
  await child.exited;
  running.delete(child);
}

/** Whether a port sends the first byte of a response. */
const responds = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(port, "127.0.0.1", () => connection.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const done = (responded: boolean) => {
      connection.destroy();
      resolve(responded);
    };
    connection.on("data", () => done(true)).on("error", () => done(false));
  });

async function checkResponse(port: number, expected: unknown): Promise<void> {
  const body = await (await fetch(`http://127.0.0.1:${port}/`)).json();
  if (!Bun.deepEquals(body, expected)) throw new Error(`port ${port} answered ${JSON.stringify(body)}`);
}
