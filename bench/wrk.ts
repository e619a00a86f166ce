import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";

/** What wrk measured; times in µs, of requests that were answered. */
export interface Measured {
  /** Those that were answered, whatever the status. */
  readonly requests: number;
  /** Those not answered, or with a status from 400 on. */
  readonly errors: number;
  readonly duration: number;
  readonly p50: number;
  readonly p99: number;
}

/** Loads a URL with wrk, whose connections each send a request once the one before is answered. */
export async function runWrk(
  url: string,
  { connections, core, seconds }: { readonly connections: number; readonly core: number; readonly seconds: number },
): Promise<Measured> {
  const printed = await runOrThrow([
    ...["taskset", "--cpu-list", String(core), "wrk", "--threads", "1", "--connections", String(connections)],
    ...["--timeout", "10s", "--duration", `${seconds}s`, "--script", join(import.meta.dir, "wrk.lua"), url],
  ]);
  return JSON.parse(printed.split("\n").at(-1) ?? "");
}
