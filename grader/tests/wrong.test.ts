// Wrong submissions, on the real engine: each fails on the rule that is meant, and on no other.
// Where Compose 1 grades the right ones, Compose 2 grades these: the bot must understand both. The rule `again` repeats
// what others look at, for a third of the time: it is judged where it is meant, and on all the right ones.

import { afterAll, expect, test } from "bun:test";
import { compose2 } from "../../testing/stack.ts";
import { requireEngine } from "../compose.ts";
import { RULES } from "../grade.ts";
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
    const rules = RULES.filter(({ id }) => id !== "again" || id === rule);
    const { mark, failed } = outcome(await gradeFiles(files, { rules, advice: false }));
    expect(failed).toEqual([[rule, expect.any(Array)]]);
    expect(mark).toBeLessThan(20);
  },
  15 * MINUTES,
);
