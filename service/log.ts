import { writeSync } from "node:fs";

type Level = "debug" | "info" | "warn" | "error";
type Fields = Record<string, string | number | boolean | undefined>;

let service = "";
let debug = false;

/** Names the service in every line from now on, and switches the lines of level `debug` on or off. */
export function setUpLog(options: { service: string; debug: boolean }): void {
  ({ service, debug } = options);
}

/**
 * Writes one event as one line of JSON on stdout. The line is with the kernel when this returns, so that a
 * process may end right after.
 */
export function log(level: Level, event: string, fields: Fields = {}): void {
  if (level === "debug" && !debug) return;
  const line = JSON.stringify({ time: new Date().toISOString(), level, service, event, ...fields });
  writeAll(Buffer.from(`${line}\n`));
}

/** What a line of the log tells of something thrown: its stack where it has one. */
export const describe = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? `${thrown.name}: ${thrown.message}`) : `thrown: ${Bun.inspect(thrown)}`;

/** Milliseconds that a full pipe may hold the service up before the rest of a line is given up. */
const PATIENCE_MS = 1000;

function writeAll(bytes: Uint8Array): void {
  const deadline = performance.now() + PATIENCE_MS;
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      // EAGAIN: a non-blocking pipe is full. Anything else (EPIPE): nobody reads, and serving goes on all the same.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || performance.now() > deadline) return;
      Bun.sleepSync(1);
    }
  }
}
