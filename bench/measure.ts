import { connect } from "node:net";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { cpuOf, family, memoryOf } from "../host/processes.ts";
import { freePort } from "../host/tcp.ts";
import type { Peer, Ports, Service } from "./peers.ts";

/** What is measured has a core for itself; wrk, the backend of a frontend, and this program share the other. */
export const CORE = { measured: 0, others: 1 } as const;

export const CONNECTIONS = 64;
export const SECONDS = 4;
const WARM_UP_SECONDS = 2;
/** Starts in each round. */
const STARTS = 3;

/** What one round measures of a service. */
export interface Round {
  /** CPU a request, in microseconds: the time of the service's processes over the requests that they answered. */
  readonly cpu: number;
  /** Requests a second. */
  readonly rate: number;
  /** Microseconds that half of the requests, and all but one in a hundred, took at most. */
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds from each start to the first answer. */
  readonly starts: readonly number[];
  /** Memory in MiB: resident, and of it private. */
  readonly idle: Memory;
  readonly loaded: Memory;
}
type Memory = ReturnType<typeof memoryOf>;

const running = new Set<Bun.Subprocess>();

/** Ends whatever still runs; those with workers of their own take them along. */
export function endAll(): void {
  for (const child of running) child.kill("SIGTERM");
}

/** Starts a service once or more, then lets it idle, then drives it. */
export async function measure(peer: Peer, service: Service, folder: string): Promise<Round> {
  const port = await freePort();
  const backendPort = await freePort();
  const asBackend = { port: backendPort, backendPort };
  const backend = service === "frontend" ? await start(peer, "backend", asBackend, folder, CORE.others) : undefined;
  const starts: number[] = [];
  const again = async () => {
    const { child, took } = await start(peer, service, { port, backendPort }, folder, CORE.measured);
    starts.push(took);
    return child;
  };
  let child = await again();
  while (starts.length < STARTS) {
    await end(child);
    child = await again();
  }
  const pids = family(child.pid);
  await Bun.sleep(1000);
  const idle = memoryOf(pids);
  await drive(port, WARM_UP_SECONDS);
  const before = cpuOf(pids);
  const { requests, duration, p50, p99 } = await drive(port, SECONDS);
  const cpu = ((cpuOf(pids) - before) * 1000) / requests;
  const loaded = memoryOf(pids);
  await checkAnswer(port, peer.answer(service));
  await end(child);
  if (backend !== undefined) await end(backend.child);
  return { cpu, rate: requests / (duration / 1e6), p50, p99, starts, idle, loaded };
}

/** Starts a service and gives it once it answers, with the milliseconds until then. */
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
  while (!(await answers(ports.port))) {
    if (child.exitCode !== null) throw new Error(`${peer.name}, ${service}: ended with ${child.exitCode} at its start`);
    if (performance.now() - begin > 30_000) throw new Error(`${peer.name}, ${service}: no answer within 30 s`);
  }
  return { child, took: performance.now() - begin };
}

async function end(child: Bun.Subprocess): Promise<void> {
  child.kill();
  await child.exited;
  running.delete(child);
}

/** Whether a port gives the first byte of an answer. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(port, "127.0.0.1", () => connection.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const done = (answered: boolean) => {
      connection.destroy();
      resolve(answered);
    };
    connection.on("data", () => done(true)).on("error", () => done(false));
  });

/** Drives a port with wrk; times in microseconds. */
async function drive(port: number, seconds: number) {
  const printed = await runOrThrow([
    ...["taskset", "--cpu-list", String(CORE.others), "wrk", "--threads", "1", "--connections", String(CONNECTIONS)],
    ...["--duration", `${seconds}s`, "--script", join(import.meta.dir, "wrk.lua"), `http://127.0.0.1:${port}/`],
  ]);
  const seen: { requests: number; duration: number; errors: number; p50: number; p99: number } = JSON.parse(
    printed.split("\n").at(-1) ?? "",
  );
  if (seen.errors > 0) throw new Error(`wrk saw ${seen.errors} errors:\n${printed}`);
  return seen;
}

async function checkAnswer(port: number, expected: unknown): Promise<void> {
  const answer = await (await fetch(`http://127.0.0.1:${port}/`)).json();
  if (!Bun.deepEquals(answer, expected)) throw new Error(`port ${port} answered ${JSON.stringify(answer)}`);
}
