// Tests that need a Docker engine are skipped when none answers, except under `make test`, which starts one.
import { describe } from "bun:test";

const PROBE_TIMEOUT_MS = 5000;

function engineAnswers(): boolean {
  try {
    return Bun.spawnSync(["docker", "version"], { timeout: PROBE_TIMEOUT_MS, stdio: ["ignore", "ignore", "ignore"] })
      .success;
  } catch {
    // There is no docker command.
    return false;
  }
}

// scripts/test sets LAB_TEST_NAME: there a test without an engine must fail rather than be skipped.
const hasEngine = process.env.LAB_TEST_NAME !== undefined || engineAnswers();
// Bun evaluates a module once for all test files, so this is printed once.
if (!hasEngine) console.error("no Docker engine answers: skipping the tests that need one (make test starts one)");

/** `describe`, or `describe.skip` if no engine answers. Hooks inside are skipped too. */
export const describeWithEngine = hasEngine ? describe : describe.skip;
