import { describe } from "bun:test";

const ANSWERS = Bun.spawnSync(["docker", "version"]).exitCode === 0;

/** `describe` for tests that need a Docker engine: they are skipped if there is none. */
export const describeWithEngine = describe.skipIf(!ANSWERS);
