import { join } from "node:path";
import type { Sample } from "./traffic.ts";

export const RESULTS_FILE = join(import.meta.dir, "results.json");

/** What came of the requests of one phase. */
export interface Phase {
  readonly name: string;
  readonly sent: number;
  /** Answered with another status or body than is right, refused, or cut. */
  readonly failed: number;
  /** Not answered at all within 15 s. */
  readonly lost: number;
  /** Of the right answers, ms. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  /** Until all tasks run, and the balancer sends to all frontends, s. */
  readonly seconds: number;
  /** How many failed in which way. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface Results {
  readonly engine: string;
  /** Requests per second. */
  readonly rate: number;
  readonly nodes: number;
  readonly phases: readonly Phase[];
}

export function summarize(name: string, samples: readonly Sample[], seconds: number): Phase {
  const right = samples.filter(({ outcome }) => outcome === "expected").map(({ ms }) => ms);
  const wrong = samples.filter(({ outcome }) => outcome !== "expected");
  const lost = wrong.filter(({ outcome }) => outcome === "timeout").length;
  const sorted = right.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  const kinds = Map.groupBy(wrong, ({ outcome, status }) => (status > 0 ? `status ${status}` : outcome));
  return {
    name,
    sent: samples.length,
    failed: wrong.length - lost,
    lost,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
    seconds,
    failures: Object.fromEntries([...kinds].map(([kind, { length }]) => [kind, length])),
  };
}
