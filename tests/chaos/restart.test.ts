// How soon the frontend serves again after a crash: the engine is the baseline, measured in the same run by a static C
// server in an empty image. `make chaos` only: it takes a minute, and needs gcc.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../../host/command.ts";
import { freePort } from "../../host/tcp.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { createTestStack, TEST_NAME } from "../../testing/stack.ts";
import { formatSpread, spreadOf } from "../../testing/statistics.ts";
import { FULL, report } from "./report.ts";

const ROUNDS = 7;
const MOST = 1.05;

const stack = await createTestStack();
const baseline = `${TEST_NAME}/baseline`;
const folder = mkdtempSync(join(tmpdir(), "tpdocker-baseline-"));
const baselinePort = await freePort();

if (FULL) {
  beforeAll(async () => {
    await runOrThrow(["make", "up"], stack.env);
    await runOrThrow(["gcc", "-static", "-O2", "-o", join(folder, "baseline"), join(import.meta.dir, "baseline.c")]);
    await runOrThrow([
      "sh",
      "-c",
      `tar -C '${folder}' -c baseline | docker import --change 'ENTRYPOINT ["/baseline"]' - ${baseline}`,
    ]);
    const options = [
      "--detach",
      "--name",
      `${TEST_NAME}-baseline`,
      "--restart",
      "always",
      "--publish",
      `${baselinePort}:8001`,
    ];
    await runOrThrow(["docker", "run", ...options, baseline]);
  });
  afterAll(async () => {
    await run(["docker", "rm", "--force", `${TEST_NAME}-baseline`]);
    await stack.remove();
  });
}
afterAll(() => rmSync(folder, { recursive: true }));

/** Milliseconds from a crash to the first answer. */
async function recovery(port: number): Promise<number> {
  const start = performance.now();
  await sendRaw(port, rawRequest("GET", "/traceback"));
  for (;;) {
    const answer = await sendRaw(port, rawRequest("GET", "/")).catch(() => "");
    if (answer.startsWith("HTTP/1.1 200 ")) return performance.now() - start;
    await Bun.sleep(1);
  }
}

test.skipIf(!FULL)(
  "the frontend serves again about as soon as anything could",
  async () => {
    const times = { ours: [] as number[], baseline: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      // It must have run for ten seconds before the next crash, or the engine waits twice as long each time.
      const next = Bun.sleep(14_000);
      times.ours.push(await recovery(stack.ports["api-frontend"]));
      times.baseline.push(await recovery(baselinePort));
      await next;
    }
    const [ours, least] = [spreadOf(times.ours), spreadOf(times.baseline)];
    const ratio = ours.median / least.median;
    const note = `serving again after ${formatSpread(ours)} ms, a static C server in an empty image after ${formatSpread(least)} ms: ${ratio.toFixed(3)}×`;
    report({ fault: "frontend: `/traceback`, without load", sent: ROUNDS, failed: 0, lost: 0, note });
    expect(ratio).toBeLessThan(MOST);
  },
  300_000,
);
