// The two base images of the Dockerfiles, as builds on this machine use them.
import { run } from "../host/command.ts";

/** The value of a build variable: from the environment or .env (`make bases` writes it there), else the fallback. */
async function setting(name: string, fallback: string): Promise<string> {
  return (await run(["bash", "-c", `. scripts/common.sh; config_value ${name} ${fallback}`])).stdout.trim();
}

const dockerfile = await Bun.file("api-backend/Dockerfile").text();
const defaultOf = (name: string) => new RegExp(`^ARG ${name}=(.+)$`, "m").exec(dockerfile)?.[1] ?? "";
export const BUN = await setting("BUN_IMAGE", defaultOf("BUN_IMAGE"));
export const RUNTIME = await setting("RUNTIME_IMAGE", defaultOf("RUNTIME_IMAGE"));
