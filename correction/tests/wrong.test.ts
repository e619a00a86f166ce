// Wrong submissions, on the real engine: each fails on the rule that is meant, and on no other.
// Where Compose 1 grades the right ones, Compose 2 grades these: the bot must understand both.
import { afterAll, expect, test } from "bun:test";
import { compose2 } from "../../tests/engine.ts";
import { requireEngine } from "../docker.ts";
import { gradeFiles, MINUTES, outcome } from "./grading.ts";
import { WRONG } from "./submissions.ts";

const before = process.env.DOCKER_CONFIG;
Object.assign(process.env, await compose2());
await requireEngine();

afterAll(() => {
  if (before === undefined) delete process.env.DOCKER_CONFIG;
  else process.env.DOCKER_CONFIG = before;
});

test.concurrent.each(Object.entries(WRONG))(
  "wrong: %s",
  async (_, [rule, files]) => {
    const { mark, failed } = outcome(await gradeFiles(files, { advice: false }));
    expect(failed).toEqual([[rule, expect.any(Array)]]);
    expect(mark).toBeLessThan(20);
  },
  15 * MINUTES,
);
