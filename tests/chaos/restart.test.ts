// How soon the frontend serves again after a crash. Most of that time is the engine's; the baseline, measured in the same
// run, is a static C server in an empty image. `make chaos` only: it takes two minutes, and needs gcc.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../../host/command.ts";
import { freePort } from "../../host/tcp.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { servesAgain } from "../../testing/serves-again.ts";
import { createTestStack, TEST_NAME, type TestStack } from "../../testing/stack.ts";
import { formatSpread, overlap, spreadOf } from "../../testing/statistics.ts";
import { NETWORK } from "./loaded-stack.ts";
import { FULL, report } from "./report.ts";

setDefaultTimeout(300_000);

const ROUNDS = 7;
/** 70 ms of a restart: other work of the machine delays both, but not always alike. */
const RATIO_LIMIT = 1.2;
/** A container must run for ten seconds before its next crash, or the engine doubles its restart delay. */
const ROUND_MS = 14_000;
const BASELINE = `${TEST_NAME}-baseline`;

async function startBaseline(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-baseline-"));
  const source = join(import.meta.dir, "baseline.c");
  await runOrThrow(["gcc", "-static", "-O2", "-o", join(folder, "baseline"), source]);
  const entrypoint = `--change 'ENTRYPOINT ["/baseline"]'`;
  const image = `${TEST_NAME}/baseline`;
  await runOrThrow(["sh", "-c", `tar -C '${folder}' -c baseline | docker import ${entrypoint} - ${image}`]);
  rmSync(folder, { recursive: true });
  const port = await freePort();
  const options = ["--name", BASELINE, "--restart", "always", "--network", NETWORK, "--publish", `${port}:8001`];
  await runOrThrow(["docker", "run", "--detach", ...options, image]);
  return port;
}

/** The time in ms from a crash to the next response. */
async function recoveryTime(port: number): Promise<number> {
  const start = performance.now();
  await sendRaw(port, rawRequest("GET", "/traceback"));
  return (await servesAgain(port, (response) => response.startsWith("HTTP/1.1 200 "))) - start;
}

(FULL ? describeWithEngine : describe.skip)("after a crash", () => {
  let stack: TestStack;
  let baselinePort: number;

  beforeAll(async () => {
    stack = await createTestStack();
    await runOrThrow(["make", "up"], stack.env);
    baselinePort = await startBaseline();
  });
  afterAll(async () => {
    await run(["docker", "rm", "--force", BASELINE]);
    await stack.remove();
  });

  test("the frontend serves again about as soon as the smallest possible server", async () => {
    const times = { frontend: [] as number[], baseline: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      const next = Bun.sleep(ROUND_MS);
      times.frontend.push(await recoveryTime(stack.ports["api-frontend"]));
      times.baseline.push(await recoveryTime(baselinePort));
      await next;
    }
    const [frontend, baseline] = [spreadOf(times.frontend), spreadOf(times.baseline)];
    const ratio = frontend.median / baseline.median;
    const column = "crash to first response, ms";
    report("restart", {
      ...{ server: "api-frontend", crashes: ROUNDS },
      [column]: `${formatSpread(frontend)}, ${overlap(frontend, baseline) ? "≈" : ""}${ratio.toFixed(2)} × the baseline`,
    });
    report("restart", {
      ...{ server: "baseline: a static C server in an empty image", crashes: ROUNDS },
      [column]: formatSpread(baseline),
    });
    expect(ratio).toBeLessThan(RATIO_LIMIT);
  });
});
