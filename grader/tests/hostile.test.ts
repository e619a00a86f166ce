// What a submission may do once it runs, on the real engine: it disturbs nothing beside it, and the grading ends.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../../host/command.ts";
import { type Container, inspect } from "../../host/docker.ts";
import { tcpRoundTrip } from "../../host/tcp.ts";
import { BUN } from "../../testing/base-images.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { TEST_NAME } from "../../testing/stack.ts";
import { requireEngine } from "../compose.ts";
import { grade } from "../grade.ts";
import { get } from "../http.ts";
import { network } from "../rules/network.ts";
import { backend } from "../rules/responses.ts";
import { safe } from "../rules/safe.ts";
import { up } from "../rules/up.ts";
import { Stack } from "../stack.ts";
import { MINUTE_MS, outcome } from "./grading.ts";
import { change, right, submissionOf, write } from "./submissions.ts";

setDefaultTimeout(5 * MINUTE_MS);

/** Answers without end, logs, forks and fills memory all the while. */
const GREEDY = `import { createServer } from "node:http";
import { spawn } from "node:child_process";
const flood = () => { process.stdout.write("x".repeat(1e6) + "\\n", flood); };
const hoard = [];
setInterval(() => hoard.push(Buffer.alloc(10e6, 1)), 500);
setTimeout(() => spawn("sh", ["-c", "while :; do (while :; do :; done) & done"]), 4000);
flood();
createServer((request, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  const more = () => { while (response.write("x".repeat(1e6))); response.once("drain", more); };
  more();
}).listen(8001);
`;

describeWithEngine("a hostile submission", () => {
  const canary = mkdtempSync(join(tmpdir(), "canary-"));
  const folders = [canary];
  let bystander: string;

  beforeAll(async () => {
    await requireEngine();
    writeFileSync(join(canary, "file"), "unchanged");
    const label = ["--label", `com.docker.compose.project=${TEST_NAME}`];
    bystander = await runOrThrow([
      "docker",
      "run",
      "--detach",
      ...label,
      BUN,
      "bun",
      "-e",
      "setInterval(() => {}, 1e9)",
    ]);
  });
  afterAll(async () => {
    await runOrThrow(["docker", "rm", "--force", bystander]);
    for (const folder of folders) rmSync(folder, { recursive: true });
  });

  /** Grades by these rules, and returns what the bounds were while it ran. */
  async function gradeHostile(files: typeof right, rules: Parameters<typeof grade>[1]) {
    const folder = write(files);
    folders.push(folder);
    const stack = await Stack.prepare(await submissionOf(folder));
    try {
      const report = outcome(await grade(stack, { advice: false, ...rules }));
      const container = await stack.container("backend").catch(() => undefined);
      const id = container?.Id ?? "";
      // What it does, it does in the first seconds.
      await Bun.sleep(id === "" ? 0 : 4000);
      const [processes, logs] = await Promise.all([
        run(["docker", "top", id, "-eo", "pid"]),
        run(["sh", "-c", 'docker logs "$0" 2>&1 | wc -c', id]),
      ]);
      return {
        ...report,
        work: stack.submission.work,
        container,
        processes: processes.stdout.split("\n").length - 2,
        logBytes: Number(logs.stdout),
      };
    } finally {
      await stack.remove();
      expect(readdirSync(canary)).toEqual(["file"]);
      expect(readFileSync(join(canary, "file"), "utf8")).toBe("unchanged");
      expect((await inspect<Container>(bystander)).State.Status).toBe("running");
    }
  }

  test("that floods, forks and hoards is bounded, and judged", async () => {
    const before = process.memoryUsage.rss();
    const started = Date.now();
    const files = change(right, ["api-backend/api.js", /[\s\S]*/, GREEDY]);
    const { failed, container, processes, logBytes } = await gradeHostile(files, { rules: [safe, up, backend] });
    expect(failed.map(([id]) => id)).toContain("backend");
    expect(container?.HostConfig).toMatchObject({ PidsLimit: 256, Memory: 1024 ** 3, MemorySwap: 1024 ** 3 });
    expect(processes).toBeGreaterThan(10);
    expect(processes).toBeLessThanOrEqual(256);
    expect(logBytes).toBeGreaterThan(0);
    expect(logBytes).toBeLessThan(12e6);
    // What floods in is gigabytes; other tests share this process, and their garbage is counted here too.
    expect(process.memoryUsage.rss() - before).toBeLessThan(1e9);
    expect(Date.now() - started).toBeLessThan(MINUTE_MS);
  });

  test("that is refused starts nothing, and gets nothing", async () => {
    const files = change(right, [
      "docker-compose.yaml",
      "build: ./api-backend",
      `build: ./api-backend\n    volumes: ["${canary}:/canary"]`,
    ]);
    const { mark, failed, blocked, container } = await gradeHostile(files, {});
    expect(container).toBeUndefined();
    expect(mark).toBe(0);
    expect(failed).toEqual([
      ["safe", [expect.stringMatching(/^docker-compose\.yaml:\d+: services\.api-backend\.volumes: .*outside/)]],
    ]);
    expect(blocked).toContain("tree");
  });

  test("on the network of the machine is not started", async () => {
    const files = change(right, [
      "docker-compose.yaml",
      "build: ./api-backend",
      "build: ./api-backend\n    network_mode: host",
    ]);
    const { failed, blocked, container } = await gradeHostile(files, { rules: [safe, up, network] });
    expect(container).toBeUndefined();
    expect([failed, blocked]).toEqual([[["network", ["network_mode: host (api-backend)"]]], ["up"]]);
  });

  test("that writes as root to its own folder leaves nothing in the grader's, and nothing in its own", async () => {
    const writing = `import { mkdirSync, writeFileSync } from "node:fs";\nmkdirSync("/own/x/y", { recursive: true });\nwriteFileSync("/own/x/y/z", "");\n`;
    const files = change(
      right,
      ["docker-compose.yaml", "build: ./api-backend", "build: ./api-backend\n    volumes: ['./api-backend:/own']"],
      ["api-backend/api.js", /^/, writing],
    );
    const { failed, work } = await gradeHostile(files, { rules: [safe, up] });
    expect([failed, existsSync(work)]).toEqual([[], false]);
    expect(readdirSync(join(folders.at(-1) ?? "", "api-backend")).sort()).toEqual(["Dockerfile", "api.js"]);
  });

  test("that takes the name of the teacher's container gets another", async () => {
    const { Name } = await inspect<Container>(bystander);
    const name = `container_name: ${Name.slice(1)}`;
    const files = change(right, ["docker-compose.yaml", "build: ./api-backend", `build: ./api-backend\n    ${name}`]);
    expect((await gradeHostile(files, { rules: [safe, up] })).failed).toEqual([]);
  });
});

test("a response that drips ends after the time in all, and is kept in part", async () => {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data() {}, open: (socket) => void setInterval(() => socket.write("x".repeat(1000)), 100) },
  });
  const started = Date.now();
  expect(await tcpRoundTrip("127.0.0.1", server.port, "", 1)).toBeUndefined();
  expect(await get(`http://127.0.0.1:${server.port}/`, 1)).toEqual({
    error: { en: expect.any(String), fr: expect.any(String) },
  });
  expect(Date.now() - started).toBeLessThan(4000);
  server.stop(true);
});

test("a body without end is not read to its end", async () => {
  const body = () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1e6)) });
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response(body()) });
  const started = Date.now();
  const result = await get(`${server.url}`, 15);
  expect("body" in result && result.body.length).toBeWithin(1e6, 4e6);
  expect(Date.now() - started).toBeLessThan(5000);
  server.stop(true);
});

test.skipIf(process.platform !== "linux")("whatever a command prints, little of it is kept", async () => {
  // In a process of its own: the memory of this one holds the garbage of all tests before. It measures itself, because
  // the kernel counts the memory of the process that starts another as that one's, until its program is there.
  const script = `import { readFileSync } from "node:fs";
    import { runOrThrow } from ${JSON.stringify(join(import.meta.dir, "../../host/command.ts"))};
    console.log(await runOrThrow(["sh", "-c", "yes 0123456789 | head -c 500000000; echo end"]));
    console.error(/^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);`;
  const child = Bun.spawn([process.execPath, "-e", script], { stderr: "pipe" });
  const [output, peak] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(await child.exited).toBe(0);
  expect(output.length).toBeLessThan(5e6);
  expect(output.trim()).toEndWith("end");
  expect(output).toContain("bytes left out");
  // 105 to 119 MB were measured, of it about 40 for Bun.
  expect(Number(peak)).toBeWithin(1, 250_000);
});
