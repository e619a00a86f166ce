import { log } from "./log.ts";

/**
 * Milliseconds after which a stop no longer waits: more than any request takes, less than the grace period that
 * docker-compose.yaml gives. A connection with half a request would otherwise hold `stop()` for 12 s.
 */
export const DRAIN_MS = 7000;

let draining = false;

/**
 * Stops accepting, lets the requests in flight finish, ends the process with code 0. A second signal ends it at
 * once, with the code that a shell shows for the signal.
 */
export async function drain(server: Bun.Server<unknown>, signal: "SIGTERM" | "SIGINT"): Promise<never> {
  if (draining) process.exit(signal === "SIGINT" ? 130 : 143);
  draining = true;
  const start = performance.now();
  const outcome = await Promise.race([server.stop().then(() => "drained"), Bun.sleep(DRAIN_MS).then(() => "deadline")]);
  log("info", "stop", { signal, outcome, ms: Math.round(performance.now() - start) });
  process.exit(0);
}
