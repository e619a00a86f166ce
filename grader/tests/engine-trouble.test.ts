// Engines in trouble: one that is ended hard in the middle of gradings and comes back, and one with few networks.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { BUN } from "../../testing/base-images.ts";
import { canStartEngine, OwnEngine } from "../../testing/own-engine.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { GraderCommand } from "./command.ts";
import { MINUTE_MS } from "./grading.ts";
import { right, write } from "./submissions.ts";

setDefaultTimeout(10 * MINUTE_MS);

/** Until a grader sees that the engine has gone: for 90 s it waits for a service that has not responded yet. */
const UNSEEN_MS = 2 * MINUTE_MS;

const work = mkdtempSync(join(tmpdir(), "engine-away-"));
const grader = new GraderCommand(work);
/** What they are built on. A digest, which may be part of its name elsewhere, cannot be given to a loaded image. */
const BASE = "engine-trouble/bun:1";
const onBase = Object.fromEntries(Object.entries(right).map(([path, text]) => [path, text.replaceAll(BUN, BASE)]));
const folders = [write(onBase), write(onBase)];

beforeAll(grader.compile);
afterAll(() => {
  for (const folder of [work, ...folders]) rmSync(folder, { recursive: true });
});

/** Gives an engine the image that the submissions are built on. */
async function load({ host }: OwnEngine): Promise<void> {
  const id = await runOrThrow(["docker", "image", "inspect", "--format", "{{.Id}}", BUN]);
  await runOrThrow(["sh", "-c", `docker save "$0" | docker --host "$1" load`, id, host]);
  await runOrThrow(["docker", "--host", host, "tag", id, BASE]);
}

/** Starts the grader beside an engine. */
const startBeside = (engine: OwnEngine, ...flags: string[]) =>
  grader.start([...folders, "--registry", "127.0.0.1:9", ...flags], { DOCKER_HOST: engine.host }, engine.beside());

async function expectNothingLeft(engine: OwnEngine, temporary: string): Promise<void> {
  expect(readdirSync(temporary)).toEqual([]);
  expect((await engine.docker("ps", "--all", "--quiet")).stdout).toBe("");
  expect((await engine.docker("images", "--quiet", "grader*/*")).stdout).toBe("");
}

/** Does something with an engine of its own, which has the image. */
async function withEngine(action: (engine: OwnEngine) => Promise<void>, ...options: string[]): Promise<void> {
  const engine = new OwnEngine();
  try {
    await engine.start(...options);
    await load(engine);
    await action(engine);
  } finally {
    await engine.remove();
  }
}

describe.skipIf(!canStartEngine)("costs nobody a point:", () => {
  test.concurrent("an engine that goes away, while images are built and while a service is stopped", () =>
    withEngine(async (engine) => {
      const { child, stdout, said, temporary } = startBeside(engine, "--jobs", "1");
      for (const [i, step] of ["3/15", "11/15"].entries()) {
        await waitUntil(`the grader is at ${step}`, () => said().includes(`${step} ${folders[i]}`), MINUTE_MS);
        await Bun.sleep(300);
        await engine.kill();
        await waitUntil("the grader has seen it", () => count(said(), "no Docker engine answers") === i + 1, UNSEEN_MS);
        await engine.start();
      }
      const output = await stdout;
      expect(said()).toContain("waiting for the Docker engine, at most 60 s");
      for (const folder of folders) expect(count(output, `${folder}: 20/20`)).toBe(1);
      expect(await child.exited).toBe(0);
      await expectNothingLeft(engine, temporary);
    }));

  test.concurrent("an engine that goes away while several are graded; the results are complete", () =>
    withEngine(async (engine) => {
      const out = join(work, "results");
      const { child, said, temporary } = startBeside(engine, "--jobs", "2", "--out", out);
      for (const folder of folders)
        await waitUntil("the grader is at 9/15", () => said().includes(`9/15 ${folder}`), MINUTE_MS);
      await engine.kill();
      await waitUntil("the grader has seen it", () => count(said(), "no Docker engine answers") === 2, UNSEEN_MS);
      await engine.start();
      expect(await child.exited).toBe(0);
      const marks = readFileSync(join(out, "marks.csv"), "utf8");
      for (const folder of folders) expect(marks).toContain(`${folder},,20,20,pass`);
      await expectNothingLeft(engine, temporary);
    }));

  test.concurrent("an engine with one network for two submissions", () =>
    withEngine(
      async (engine) => {
        const { child, stdout, said, temporary } = startBeside(engine, "--jobs", "2");
        const output = await stdout;
        expect([await child.exited, said()]).toEqual([0, expect.stringContaining("error: ")]);
        expect(said()).toMatch(/error: .*(non-overlapping IPv4 address pool|fully subnetted)/);
        for (const folder of folders) expect(count(output, `${folder}: 20/20`)).toBe(1);
        await expectNothingLeft(engine, temporary);
      },
      // Two: one for docker0, one for a submission.
      "--default-address-pool",
      "base=10.177.0.0/27,size=28",
    ));
});

const count = (text: string, part: string) => text.split(part).length - 1;
