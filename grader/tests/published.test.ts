// The rule `published`, with a registry of this machine in place of Docker Hub.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { runOrThrow } from "../../host/command.ts";
import { RUNTIME } from "../../testing/base-images.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { startRegistry } from "../../testing/registry.ts";
import { requireEngine } from "../compose.ts";
import { label, published } from "../rules/hub.ts";
import { up } from "../rules/up.ts";
import { gradeFiles, MINUTE_MS, outcome } from "./grading.ts";
import { right } from "./submissions.ts";

setDefaultTimeout(5 * MINUTE_MS);

describeWithEngine("the rule `published`", () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  const pushed: string[] = [];

  beforeAll(async () => {
    await requireEngine();
    registry = await startRegistry();
    for (const name of ["student/api-backend", "student/api-frontend", "pupil/api-backend"]) await push(name);
  });
  afterAll(async () => {
    if (pushed.length > 0) await runOrThrow(["docker", "image", "rm", ...pushed]);
    await registry.stop();
  });

  /** Pushes any image under that name: the rule only checks that it can be pulled. */
  async function push(name: string) {
    const image = `${registry.address}/${name}:latest`;
    await runOrThrow(["docker", "tag", RUNTIME, image]);
    pushed.push(image);
    await runOrThrow(["docker", "push", image]);
  }

  /** Judges the rule and those that it needs. */
  const gradePublished = async (files: typeof right) =>
    outcome(await gradeFiles(files, { registry: registry.address, rules: [up, label, published], advice: false }));

  test.concurrent("passes if both images can be pulled", async () => {
    expect(await gradePublished(right)).toEqual({ mark: 20, failed: [], blocked: [], skipped: [] });
  });

  test.concurrent("fails if one image is not there", async () => {
    const pupil = Object.entries(right).map(([path, text]) => [path, text.replace("docker.io/student", "pupil")]);
    const failed = [["published", [expect.stringContaining("pupil/api-frontend:latest cannot be pulled: ")]]];
    expect(await gradePublished(Object.fromEntries(pupil))).toEqual({ mark: 12, failed, blocked: [], skipped: [] });
  });
});
