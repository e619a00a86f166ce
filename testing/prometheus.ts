// Debian's Prometheus: the server, and promtool, which checks what it reads.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../host/command.ts";

/**
 * The folder of the programs `prometheus` and `promtool`: one of PATH, or else that of Debian's package, unpacked to
 * .cache without being installed. `undefined` where there is neither.
 */
export async function prometheusFolder(): Promise<string | undefined> {
  const installed = Bun.which("promtool");
  if (installed !== null) return join(installed, "..");
  if (!existsSync("/etc/debian_version")) return undefined;
  const { code, stdout } = await run(["sh", "scripts/apt", "unpack", "prometheus"]);
  return code === 0 ? join(stdout.trim(), "usr/bin") : undefined;
}
