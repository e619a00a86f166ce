// A machine that runs short while a submission is built, on the real engine.

import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { run } from "../../host/command.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { requireEngine } from "../compose.ts";
import { exceeded, whatIsLeft } from "../safety/machine.ts";
import { MINUTE_MS } from "./grading.ts";
import { change, right, write } from "./submissions.ts";

setDefaultTimeout(3 * MINUTE_MS);

const GIB = 1024 ** 3;
const left = (memory: number, processes: number, free: number) => ({
  memory,
  processes,
  disk: new Map([["/a", free]]),
});
const before = left(0.9, 500, 40 * GIB);

test.each([
  ["all of it", before, undefined],
  ["a tenth of the memory", left(0.1, 500, 40 * GIB), undefined],
  ["little memory", left(0.04, 500, 40 * GIB), "less than 5 % of the machine's memory was left"],
  ["4,000 processes more", left(0.9, 4500, 40 * GIB), undefined],
  ["too many processes", left(0.9, 4501, 40 * GIB), "4001 processes more than before were running"],
  ["8 GiB less", left(0.9, 500, 32 * GIB), undefined],
  ["a full disk", left(0.9, 500, 1 * GIB), "39.0 GiB of the disk with /a were written"],
  ["what cannot be seen", { disk: new Map() }, undefined],
])("a machine that has %s left", (_, now, what) => expect(exceeded(before, now)).toBe(what));

test("a small disk may be filled for the most part", () => {
  const small = left(0.9, 500, 2 * GIB);
  expect(exceeded(small, left(0.9, 500, 0.3 * GIB))).toBeUndefined();
  expect(exceeded(small, left(0.9, 500, 0.1 * GIB))).toContain("were written");
});

test.skipIf(process.platform !== "linux")(
  "what this machine has left can be seen; a folder that is not there not",
  () => {
    const { memory, processes, disk } = whatIsLeft(["/", "/none"]);
    expect(memory).toBeWithin(0.01, 1);
    expect(processes).toBeWithin(10, 100_000);
    expect([...disk.keys()]).toEqual(["/"]);
  },
);

describeWithEngine("a build", () => {
  beforeAll(requireEngine);

  test.skipIf(process.platform !== "linux")("that takes too many processes is ended, and not graded", async () => {
    const fork = "RUN i=0; while [ $i -lt 9000 ]; do sh -c 'kill -STOP $$$$' & i=$((i+1)); done; wait\nCOPY";
    const folder = write(change(right, ["api-backend/Dockerfile", "COPY", fork]));
    try {
      const { code, stderr } = await run([process.execPath, "grader/main.ts", folder]);
      expect(stderr).toMatch(/error: .*: while it was graded, \d+ processes more than before were running/);
      expect(code).toBe(2);
      expect(whatIsLeft([]).processes).toBeLessThan(3000);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
