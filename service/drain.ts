import { log } from "./log.ts";

/**
 * Milliseconds that a stop may take: more than any request, less than the grace period in docker-compose.yaml.
 * A connection with half a request would otherwise delay `stop()` by 12 s.
 */
export const DRAIN_MS = 7000;

let draining = false;

/** Whether a signal to stop has come. */
export const isDraining = (): boolean => draining;

/**
 * Goes on as before for `delay` milliseconds, except that `/readyz` tells load balancers to send nothing more. Then
 * stops accepting connections, lets the requests in progress finish, and exits with code 0. A second signal ends the
 * process at once, with the exit code that shells use for the signal.
 */
export async function drain(server: Bun.Server<unknown>, signal: "SIGTERM" | "SIGINT", delay: number): Promise<never> {
  if (draining) process.exit(signal === "SIGINT" ? 130 : 143);
  draining = true;
  if (delay > 0) await Bun.sleep(delay);
  const start = performance.now();
  const outcome = await Promise.race([server.stop().then(() => "drained"), Bun.sleep(DRAIN_MS).then(() => "deadline")]);
  log("info", "stop", { signal, outcome, ms: Math.round(performance.now() - start) });
  process.exit(0);
}
