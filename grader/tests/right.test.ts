// Right submissions, on the real engine: each gets 20/20, and nothing is skipped but what needs Docker Hub.
// They run side by side (`--max-concurrency` in scripts/test): they wait more than they work.

import { expect, test } from "bun:test";
import { requireEngine } from "../compose.ts";
import { gradeFiles, gradeFolder, MINUTES, outcome } from "./grading.ts";
import { RIGHT } from "./submissions.ts";

await requireEngine();

const ALL_RIGHT = { mark: 20, failed: [], skipped: ["published"] };

test.concurrent(
  "this repository",
  async () => {
    expect(outcome(await gradeFolder("."))).toEqual(ALL_RIGHT);
  },
  15 * MINUTES,
);

test.concurrent.each(Object.entries(RIGHT))(
  "right: %s",
  async (_, files) => {
    expect(outcome(await gradeFiles(files))).toEqual(ALL_RIGHT);
  },
  15 * MINUTES,
);
