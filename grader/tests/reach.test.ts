// The grader where the engine is out of reach, as in a container that has the engine's socket only.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../host/command.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { requireEngine } from "../compose.ts";
import { requireReach } from "../reach.ts";
import { MINUTE_MS } from "./grading.ts";

setDefaultTimeout(MINUTE_MS);

describeWithEngine("the grader", () => {
  const temporary = mkdtempSync(join(tmpdir(), "reach-"));
  beforeAll(requireEngine);
  afterAll(() => rmSync(temporary, { recursive: true }));

  test("reaches the engine of this machine", requireReach);

  test.skipIf(process.getuid?.() !== 0).each([
    ["the ports", ["--net"], "", "cannot be reached from here"],
    ["the folders", ["--mount"], 'mount -t tmpfs tmpfs "$TMPDIR" && ', "does not see the folder for temporary files"],
  ])("grades nobody where %s of the engine are others", async (_, isolation, before, message) => {
    const script = `${before}exec "$0" "$@"`;
    const command = ["unshare", ...isolation, "sh", "-c", script, process.execPath, "grader/main.ts", process.cwd()];
    const { code, stdout, stderr } = await run(command, { env: { TMPDIR: temporary } });
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
  });
});
