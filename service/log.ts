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
  // In Bun this writes before it returns; loading node:fs for it would take a tenth of the start.
  console.log(JSON.stringify({ time: new Date().toISOString(), level, service, event, ...fields }));
}

/** What a line of the log tells of something thrown: its stack where it has one. */
export const describe = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? `${thrown.name}: ${thrown.message}`) : `thrown: ${Bun.inspect(thrown)}`;
