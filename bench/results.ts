import { join } from "node:path";
import type { Spread } from "../testing/statistics.ts";
import type { Service } from "./peers.ts";

export const RESULTS_FILE = join(import.meta.dir, "results.json");

/** What was measured for one service of one peer, over all rounds. */
export interface Entry {
  readonly service: Service;
  readonly peer: string;
  /** CPU per request, µs. */
  readonly cpu: Spread;
  /** Its ratio to nginx's in the same round. */
  readonly cpuToNginx: Spread;
  /** Requests per second. */
  readonly rate: Spread;
  /** Latency percentiles, µs. */
  readonly p50: Spread;
  readonly p99: Spread;
  /** Start to first response, ms. */
  readonly start: Spread;
  /** MiB. */
  readonly idleResident: Spread;
  readonly idlePrivate: Spread;
  readonly loadedResident: Spread;
  readonly loadedPrivate: Spread;
  /** What must be installed: its size in bytes, and its name. */
  readonly size: number;
  readonly ships: string;
}

export interface Results {
  /** The model of the processor. */
  readonly cpu: string;
  readonly rounds: number;
  readonly entries: readonly Entry[];
}
