// Debian's Prometheus: the server, and promtool, which checks what it reads.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { run } from "../host/command.ts";

export type Program = "prometheus" | "promtool";

/**
 * The paths of both programs: those of PATH, or else of Debian's packages, unpacked to .cache without being installed.
 * `undefined` where there are none.
 */
export async function prometheusPrograms(): Promise<Record<Program, string> | undefined> {
  const prometheus = await find("prometheus", "prometheus");
  // A package of its own from Debian 13 on.
  const promtool = (await find("promtool", "prometheus")) ?? (await find("promtool", "promtool"));
  return prometheus && promtool ? { prometheus, promtool } : undefined;
}

async function find(program: Program, packageName: string): Promise<string | undefined> {
  const installed = Bun.which(program);
  if (installed !== null) return installed;
  if (!existsSync("/etc/debian_version")) return undefined;
  const { code, stdout } = await run(["sh", "scripts/apt", "unpack", packageName]);
  const path = join(stdout.trim(), "usr/bin", program);
  return code === 0 && existsSync(path) ? path : undefined;
}
