/** The levels, each with all that are more severe after it. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];
type Fields = Record<string, string | number | boolean | undefined>;

let service = "";
let minimum: Level = "info";

/** Sets the service that every line names from now on, and the least severe level that is logged. */
export function setUpLog(options: { service: string; level: Level }): void {
  service = options.service;
  minimum = options.level;
}

/**
 * Logs one event as one line of JSON on stdout. The line has reached the kernel when this returns, so the process may
 * exit right after.
 */
export function log(level: Level, event: string, fields: Fields = {}): void {
  if (LEVELS.indexOf(level) < LEVELS.indexOf(minimum)) return;
  // In Bun this writes synchronously; loading node:fs instead would take a tenth of the start.
  console.log(JSON.stringify({ time: new Date().toISOString(), level, service, event, ...fields }));
}

/** What the log says of something thrown: its stack if there is one. */
export const describe = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? `${thrown.name}: ${thrown.message}`) : `thrown: ${Bun.inspect(thrown)}`;
