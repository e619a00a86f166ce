// The table of faults: a line each in the log and, where CHAOS_REPORT names a file, in that.
import { appendFileSync } from "node:fs";
import { count, type Sample } from "./load.ts";

/** `make chaos` runs everything at its full size, `make test` at a smaller one. */
export const FULL = process.env.CHAOS === "full";

/** What became of the requests of one fault: answered otherwise than they should, and not answered. */
export interface Row {
  readonly fault: string;
  readonly sent: number;
  readonly failed: number;
  readonly lost: number;
  readonly note?: string;
}

export function report({ fault, sent, failed, lost, note = "" }: Row): void {
  const line = `| ${[fault, sent, failed, lost, note].join(" | ")} |`;
  console.log(line);
  if (process.env.CHAOS_REPORT !== undefined) appendFileSync(process.env.CHAOS_REPORT, `${line}\n`);
}

export const rowOf = (fault: string, samples: readonly Sample[], note?: string): Row => ({
  fault,
  sent: samples.length,
  failed: count(samples, "wrong"),
  lost: count(samples, "cut", "closed", "refused", "late"),
  ...(note === undefined ? {} : { note }),
});

export const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
