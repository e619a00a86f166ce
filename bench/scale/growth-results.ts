import { join } from "node:path";
import type { Spread } from "../../testing/statistics.ts";

export const GROWTH_FILE = join(import.meta.dir, "growth.json");

/** How many of each ran; the connections are those of the clients, to all frontends together. */
export interface Shape {
  readonly frontends: number;
  readonly backends: number;
  readonly connections: number;
}

/** What was measured for one shape, over all rounds. */
export interface Entry extends Shape {
  /** CPU per request of all frontends, and of all backends, µs. */
  readonly frontendCpu: Spread;
  readonly backendCpu: Spread;
  /** Requests per second with the right status. */
  readonly rate: Spread;
  /** The part of the requests that had another one, or no answer. */
  readonly errors: Spread;
  /** Latency percentiles at full load, µs. */
  readonly p50: Spread;
  readonly p99: Spread;
  /** Private memory of one frontend after the load, MiB. */
  readonly memory: Spread;
  /** CPU time of the backend that has most to do, 1 if all have the same. */
  readonly imbalance: Spread;
}

export interface Growth {
  /** The model of the processor. */
  readonly cpu: string;
  readonly rounds: number;
  readonly entries: readonly Entry[];
}
