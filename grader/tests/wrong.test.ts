// Wrong submissions, on the real engine: each fails the rule that it breaks, and no other that can still pass.
// They are graded with Compose 2, fetched if it is missing; the right ones with whichever version this machine has. The
// grader must support both.
// The rule `again` repeats other rules and takes a third of the time, so only the submission that breaks it, and all the
// right ones, are judged by it.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { describeWithEngine } from "../../testing/engine.ts";
import { compose2 } from "../../testing/stack.ts";
import { requireEngine } from "../compose.ts";
import { RULES } from "../grade.ts";
import { SESSION } from "../session.ts";
import { gradeFiles, MINUTE_MS, outcome } from "./grading.ts";
import { WRONG } from "./submissions.ts";

setDefaultTimeout(15 * MINUTE_MS);

describeWithEngine("a wrong submission fails one rule", () => {
  const { DOCKER_CONFIG } = process.env;
  beforeAll(async () => {
    Object.assign(process.env, await compose2());
    await requireEngine();
  });
  afterAll(() => {
    if (DOCKER_CONFIG === undefined) delete process.env.DOCKER_CONFIG;
    else process.env.DOCKER_CONFIG = DOCKER_CONFIG;
  });

  test.concurrent.each(Object.entries(WRONG))("%s", async (_, [rule, files, consequence]) => {
    const rules = RULES.filter(({ id }) => id !== "again" || id === rule);
    const { mark, failed } = outcome(await gradeFiles(files, { rules, advice: false }));
    const expected = consequence === undefined ? [rule] : [rule, consequence];
    expect(failed.map(([id]) => id)).toEqual(expected);
    // What only this grading is called helps no student.
    expect(JSON.stringify(failed)).not.toContain(SESSION);
    expect(mark).toBeLessThan(20);
  });
});
