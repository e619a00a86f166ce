import type { Spread } from "../testing/statistics.ts";
import type { Service } from "./peers.ts";

/** What was measured of one service of one peer. */
export interface Entry {
  readonly service: Service;
  readonly peer: string;
  /** Microseconds a request. */
  readonly cpu: Spread;
  /** The same over nginx's of the same round. */
  readonly cpuToNginx: Spread;
  /** Requests a second. */
  readonly rate: Spread;
  /** Microseconds. */
  readonly p50: Spread;
  readonly p99: Spread;
  /** Milliseconds from start to first answer. */
  readonly start: Spread;
  /** MiB. */
  readonly idleResident: Spread;
  readonly idlePrivate: Spread;
  readonly loadedResident: Spread;
  readonly loadedPrivate: Spread;
  /** Bytes, and of what. */
  readonly size: number;
  readonly ships: string;
}

export interface Results {
  /** The model of the processor. */
  readonly cpu: string;
  readonly rounds: number;
  readonly entries: readonly Entry[];
}
