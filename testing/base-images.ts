// The two base images of the Dockerfiles, as builds on this machine use them.
import { run } from "../host/command.ts";

const { stdout } = await run(["sh", "scripts/config"]);
/** The value of a build variable as Compose reads it; empty without Compose. */
const setting = (name: string) => new RegExp(`^${name}=(.+)$`, "m").exec(stdout)?.[1] ?? "";
export const BUN = setting("BUN_IMAGE");
export const RUNTIME = setting("RUNTIME_IMAGE");
