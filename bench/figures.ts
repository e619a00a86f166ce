// `make figures`, as root: measures image sizes, memory, start times and the cost of health checks on a stack of its own,
// and writes them to docs/performance.md. No other container may run: its health checks would be counted too.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { cpuTimeMs, memoryMib, processIds, processName } from "../host/processes.ts";
import { freePort } from "../host/tcp.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { writeDocs } from "../testing/docs.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { createTestStack } from "../testing/stack.ts";
import { formatSpread, spreadOf } from "../testing/statistics.ts";

const STARTS = 15;
const IDLE_S = 60;

const progress = (text: string) => console.error(`==> ${text}`);

/** Calls `start` and returns the time in ms until the first response. */
async function timeToFirstResponse(port: number, start: () => unknown): Promise<number> {
  const begin = performance.now();
  const started = start();
  for (;;) {
    const response = await sendRaw(port, rawRequest("GET", "/healthz")).catch(() => "");
    if (response.startsWith("HTTP/1.1 200")) break;
    await Bun.sleep(1);
  }
  const took = performance.now() - begin;
  await started;
  return took;
}

const enginePids = () => processIds().filter((pid) => ["dockerd", "containerd"].includes(processName(pid)));

/** The figures that `docker stats` shows: CPU time so far in ms, memory in MiB without the page cache. */
async function containerStats(id: string) {
  const url = `http://localhost/containers/${id}/stats?stream=false&one-shot=true`;
  const stats = (await (await fetch(url, { unix: "/var/run/docker.sock" })).json()) as {
    cpu_stats: { cpu_usage: { total_usage: number } };
    memory_stats: { usage: number; stats: Record<string, number> };
  };
  const { usage, stats: memory } = stats.memory_stats;
  const cache = memory.total_inactive_file ?? memory.inactive_file ?? 0;
  return { cpu: stats.cpu_stats.cpu_usage.total_usage / 1e6, memory: (usage - cache) / 1024 ** 2 };
}

/** CPU time in ms of a minute without requests: of the container, of its shim (including runc) and of the engine. */
async function idleCpu(id: string, shim: number) {
  const cpu = async () => [(await containerStats(id)).cpu, cpuTimeMs([shim]), cpuTimeMs(enginePids())];
  const before = await cpu();
  await Bun.sleep(IDLE_S * 1000);
  return (await cpu()).map((value, i) => value - (before[i] ?? 0));
}

async function measure(name: ServiceName): Promise<string[]> {
  const { Id, State } = await stack.container(name);
  const { Size, Config } = await inspect<Image>(stack.image(name));
  const shim = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${State.Pid}/status`, "utf8"))?.[1]);
  const executableSize = statSync(`/proc/${State.Pid}/exe`).size;

  progress(`${name}: idle for ${IDLE_S} s`);
  const [container = 0, runc = 0, engine = 0] = await idleCpu(Id, shim);
  const interval = (Config.Healthcheck?.Interval ?? 0) / 1e9;
  // The engine's share is divided: it checks both containers.
  const check = (container + runc + engine / SERVICES.length) / (IDLE_S / interval);
  const { memory } = await containerStats(Id);
  const process = memoryMib([State.Pid]);

  progress(`${name}: ${STARTS} starts`);
  const starts: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    await runOrThrow(["docker", "stop", Id]);
    starts.push(await timeToFirstResponse(stack.ports[name], () => runOrThrow(["docker", "start", Id])));
  }
  return [
    `${(Size / 1e6).toFixed(1)} MB (executable: ${(executableSize / 1e6).toFixed(1)} MB)`,
    `${memory.toFixed(1)} MiB`,
    `${process.resident.toFixed(1)} MiB (private: ${process.private.toFixed(1)} MiB)`,
    `${formatSpread(spreadOf(starts))} ms`,
    `${formatSpread(spreadOf(await startsWithoutEngine(name, Id)))} ms`,
    `every ${interval} s, ${check.toFixed(0)} ms of CPU (${((check / interval) * 0.1).toFixed(1)} % of a core)`,
  ];
}

/** Times to first response in ms of the executable, copied from its container and run as a process of this machine. */
async function startsWithoutEngine(name: ServiceName, container: string): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-figures-"));
  await runOrThrow(["docker", "cp", `${container}:/${name}`, folder]);
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const port = await freePort();
    const env = { PORT: String(port), API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: "1", NODE_ENV: "production" };
    let child: Bun.Subprocess | undefined;
    times.push(
      await timeToFirstResponse(port, () => {
        child = Bun.spawn([join(folder, name)], { env, stdout: "ignore" });
      }),
    );
    child?.kill();
    await child?.exited;
  }
  rmSync(folder, { recursive: true });
  return times;
}

if ((await runOrThrow(["docker", "ps", "--quiet"])) !== "") {
  console.error("error: other containers are running; their health checks would be counted.");
  console.error("       Stop them first:  make down");
  process.exit(1);
}

const TITLES = [
  "image",
  "memory of the idle container (`docker stats`)",
  "memory of the idle process",
  "`docker start` to first response",
  "the executable alone, start to first response",
  "health check",
];

const stack = await createTestStack();
try {
  progress("starting a stack");
  await runOrThrow(["make", "up"], stack.env);
  const started = await Promise.all(SERVICES.map(async (name) => (await stack.container(name)).State.StartedAt));
  const [backend = 0, frontend = 0] = started.map((time) => Date.parse(time));
  const columns: string[][] = [];
  for (const name of SERVICES) columns.push(await measure(name));
  const rows = [
    ["", ...SERVICES.map((name) => `\`${name}\``)],
    ["---", "---", "---"],
    ...TITLES.map((title, i) => [title, ...columns.map((column) => column[i])]),
    ["the frontend's wait for the backend at `make up`", "", `${((frontend - backend) / 1000).toFixed(1)} s`],
  ];
  const table = rows.map((row) => `| ${row.join(" | ")} |\n`).join("");
  writeDocs("performance.md", "figures", `${table}\nTimes are the median (minimum to maximum) of ${STARTS} starts.\n`);
  console.log(table);
} finally {
  await stack.remove();
}
