import { describe } from "bun:test";

const ANSWERS = Bun.spawnSync(["docker", "version"]).exitCode === 0;
export const describeWithEngine = describe.skipIf(!ANSWERS);
