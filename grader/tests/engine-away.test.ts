// An engine that is ended hard in the middle of gradings, and comes back.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { BUN } from "../../testing/base-images.ts";
import { canStartEngine, OwnEngine } from "../../testing/own-engine.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { MINUTE_MS } from "./grading.ts";
import { right, write } from "./submissions.ts";

setDefaultTimeout(10 * MINUTE_MS);

describe.skipIf(!canStartEngine)("an engine that goes away", () => {
  const work = mkdtempSync(join(tmpdir(), "engine-away-"));
  const grader = join(work, "grader");
  const folders = [write(right), write(right)];
  const engine = new OwnEngine();

  beforeAll(async () => {
    await runOrThrow(["sh", "scripts/compile", grader, "grader/main.ts"]);
    await engine.start();
    await runOrThrow(["sh", "-c", `docker save "$0" | docker --host "$1" load`, BUN, engine.host]);
  });
  afterAll(async () => {
    await engine.remove();
    for (const folder of [work, ...folders]) rmSync(folder, { recursive: true });
  });

  test("costs nobody a point: the gradings that it ended are done again", async () => {
    const temporary = mkdtempSync(join(work, "tmp-"));
    const child = Bun.spawn(engine.beside(grader, ...folders, "--registry", "127.0.0.1:9"), {
      env: { ...process.env, DOCKER_HOST: engine.host, TMPDIR: temporary },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, errors] = [child.stdout.text(), collect(child.stderr)];
    // While images are built, and while a service is stopped.
    for (const [i, step] of ["3/15", "11/15"].entries()) {
      await waitUntil(`the grader is at ${step}`, () => errors().includes(`${step} ${folders[i]}`), MINUTE_MS);
      await Bun.sleep(300);
      await engine.kill();
      await waitUntil("the grader has seen it", () => count(errors(), "no Docker engine answers") === i + 1, MINUTE_MS);
      await engine.start();
    }
    const stdout = await output;
    expect(errors()).toContain("waiting for the Docker engine, at most 60 s");
    for (const folder of folders) expect(count(stdout, `${folder}: 20/20`)).toBe(1);
    expect(await child.exited).toBe(0);
    expect(readdirSync(temporary)).toEqual([]);
    expect((await engine.docker("ps", "--all", "--quiet")).stdout).toBe("");
    expect((await engine.docker("images", "--quiet", "grader*/*")).stdout).toBe("");
  });
});

const count = (text: string, part: string) => text.split(part).length - 1;

/** Reads a stream as it comes; returns what has come so far. */
function collect(stream: ReadableStream<Uint8Array>): () => string {
  let text = "";
  (async () => {
    for await (const bytes of stream) text += Buffer.from(bytes);
  })();
  return () => text;
}
