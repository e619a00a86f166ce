// The figures of the README, measured on this machine and printed as its table: `make figures`, as root.
// A stack of its own is started for it; other containers would be counted as ours, so there must be none.

import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { cpuOf, memoryOf, nameOf, processes } from "../host/processes.ts";
import { freePort } from "../host/tcp.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { SERVICES, type ServiceName } from "../testing/services.ts";
import { createTestStack } from "../testing/stack.ts";
import { showSpread, spreadOf } from "../testing/statistics.ts";

const RUNS = 15;
const IDLE_SECONDS = 60;

const say = (text: string) => console.error(`==> ${text}`);

/** Milliseconds from a start, which `begin` asks for, to the first answer. */
async function toFirstAnswer(port: number, begin: () => unknown): Promise<number> {
  const start = performance.now();
  const begun = begin();
  for (;;) {
    const answered = await sendRaw(port, rawRequest("GET", "/healthz")).catch(() => "");
    if (answered.startsWith("HTTP/1.1 200")) break;
    await Bun.sleep(1);
  }
  const took = performance.now() - start;
  await begun;
  return took;
}

const enginePids = () => processes().filter((pid) => ["dockerd", "containerd"].includes(nameOf(pid)));

/** What `docker stats` reads: CPU in milliseconds up to now, memory in MiB without the page cache. */
async function statsOf(id: string) {
  const url = `http://localhost/containers/${id}/stats?stream=false&one-shot=true`;
  const stats = (await (await fetch(url, { unix: "/var/run/docker.sock" })).json()) as {
    cpu_stats: { cpu_usage: { total_usage: number } };
    memory_stats: { usage: number; stats: Record<string, number> };
  };
  const { usage, stats: memory } = stats.memory_stats;
  const cache = memory.total_inactive_file ?? memory.inactive_file ?? 0;
  return { cpu: stats.cpu_stats.cpu_usage.total_usage / 1e6, memory: (usage - cache) / 1024 ** 2 };
}

/** Milliseconds of CPU that a minute of idling costs: the container itself, its shim (with runc), the engine. */
async function idle(id: string, shim: number) {
  const cpu = async () => [(await statsOf(id)).cpu, cpuOf([shim]), cpuOf(enginePids())];
  const before = await cpu();
  await Bun.sleep(IDLE_SECONDS * 1000);
  return (await cpu()).map((value, i) => value - (before[i] ?? 0));
}

async function measure(name: ServiceName) {
  const { Id, State } = await stack.container(name);
  const { Size, Config } = await inspect<Image>(stack.image(name));
  const shim = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${State.Pid}/status`, "utf8"))?.[1]);
  const executable = statSync(`/proc/${State.Pid}/exe`).size;

  say(`${name}: ${IDLE_SECONDS} s of idling`);
  const [own = 0, runc = 0, engine = 0] = await idle(Id, shim);
  const interval = (Config.Healthcheck?.Interval ?? 0) / 1e9;
  // One engine probes both containers.
  const probe = (own + runc + engine / SERVICES.length) / (IDLE_SECONDS / interval);
  const { memory } = await statsOf(Id);
  const process = memoryOf([State.Pid]);

  say(`${name}: ${RUNS} starts`);
  const starts: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    await runOrThrow(["docker", "stop", Id]);
    starts.push(await toFirstAnswer(stack.ports[name], () => runOrThrow(["docker", "start", Id])));
  }
  return [
    `${(Size / 1e6).toFixed(1)} MB, of it the executable ${(executable / 1e6).toFixed(1)} MB`,
    `${memory.toFixed(1)} MiB`,
    `${process.resident.toFixed(1)} MiB, of it private ${process.private.toFixed(1)} MiB`,
    `${showSpread(spreadOf(starts))} ms`,
    `${showSpread(spreadOf(await bareStarts(name, Id)))} ms`,
    `every ${interval} s, ${probe.toFixed(0)} ms of CPU (${((probe / interval) * 0.1).toFixed(1)} % of a core)`,
  ];
}

/** The same without the engine: the executable as a process of this machine. */
async function bareStarts(name: ServiceName, container: string): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-figures-"));
  await runOrThrow(["docker", "cp", `${container}:/${name}`, folder]);
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) {
    const port = await freePort();
    const env = { PORT: String(port), API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: "1", NODE_ENV: "production" };
    let child: Bun.Subprocess | undefined;
    times.push(
      await toFirstAnswer(port, () => {
        child = Bun.spawn([join(folder, name)], { env, stdout: "ignore" });
      }),
    );
    child?.kill();
    await child?.exited;
  }
  rmSync(folder, { recursive: true });
  return times;
}

const others = await runOrThrow(["docker", "ps", "--quiet"]);
if (others !== "") {
  console.error("error: other containers are running; their probes would be counted.");
  console.error("       Stop them first:  make down");
  process.exit(1);
}

const stack = await createTestStack();
try {
  say("starting a stack");
  await runOrThrow(["make", "up"], stack.env);
  const started = await Promise.all(SERVICES.map(async (name) => (await stack.container(name)).State.StartedAt));
  const [backend = 0, frontend = 0] = started.map((time) => Date.parse(time));
  const columns = [];
  for (const name of SERVICES) columns.push(await measure(name));
  const titles = [
    "image",
    "memory of the idle container (`docker stats`)",
    "memory of the idle process",
    "`docker start` to first answer",
    "the executable alone, start to first answer",
    "health probe",
  ];
  console.log(`| | ${SERVICES.map((name) => `\`${name}\``).join(" | ")} |\n| --- | --- | --- |`);
  for (const [i, title] of titles.entries())
    console.log(`| ${title} | ${columns.map((rows) => rows[i]).join(" | ")} |`);
  console.log(`| wait for the backend at \`up\` | | ${((frontend - backend) / 1000).toFixed(1)} s |`);
} finally {
  await stack.remove();
}
