// Right submissions, on the real engine: each gets 20/20, and only the rule that needs Docker Hub is skipped.
// They run concurrently (`--max-concurrency` in scripts/test), as they mostly wait.

import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { describeWithEngine } from "../../testing/engine.ts";
import { requireEngine } from "../compose.ts";
import { gradeFiles, gradeFolder, MINUTE_MS, outcome } from "./grading.ts";
import { RIGHT } from "./submissions.ts";

setDefaultTimeout(15 * MINUTE_MS);

const FULL_MARK = { mark: 20, failed: [], blocked: [], skipped: ["published"] };

describeWithEngine("a right submission gets the full mark", () => {
  beforeAll(requireEngine);

  test.concurrent("this repository", async () => {
    expect(outcome(await gradeFolder("."))).toEqual(FULL_MARK);
  });

  test.concurrent.each(Object.entries(RIGHT))("%s", async (_, files) => {
    expect(outcome(await gradeFiles(files))).toEqual(FULL_MARK);
  });
});
