// What else Docker lets two services do rightly, on the real engine: it gets the full mark, without the rule `again`,
// which repeats other rules and takes a third of the time.

import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { describeWithEngine } from "../../testing/engine.ts";
import { compose, requireEngine } from "../compose.ts";
import { RULES } from "../grade.ts";
import { hasFlask } from "./flask.ts";
import { gradeFiles, MINUTE_MS, outcome } from "./grading.ts";
import { COMPOSE_2, FLASK, SHAPES } from "./shapes.ts";
import type { Files } from "./submissions.ts";

setDefaultTimeout(15 * MINUTE_MS);

const rules = RULES.filter(({ id }) => id !== "again");

async function expectFullMark(files: Files) {
  const graded = outcome(await gradeFiles(files, { rules, advice: false }));
  expect(graded).toEqual({ mark: 20, failed: [], blocked: [], skipped: ["published"] });
}

describeWithEngine("a right submission of another shape gets the full mark", () => {
  beforeAll(requireEngine);

  test.concurrent.each(Object.entries(SHAPES))("%s", (_, files) => expectFullMark(files));

  for (const [name, files] of Object.entries(FLASK)) {
    const testIfPossible = hasFlask ? test.concurrent : test.skip;
    testIfPossible(name, () => expectFullMark(files));
  }

  test.concurrent.each(Object.entries(COMPOSE_2))("%s", async (_, files) => {
    // Which Compose there is, is known only now.
    if (compose.command.includes("compose")) await expectFullMark(files);
  });
});
