import type { Answer } from "../http-client/answers.ts";
import { Exchange } from "../http-client/client.ts";

/** Milliseconds of silence that are met with one more attempt: connections to a killed container never reset. */
export const OVERDUE_MS = 1000;

export type Outcome = Answer | NodeJS.ErrnoException;

/** A request to the backend, for one who waits for its outcome, or for `OVERDUE_MS` at the longest. */
export class Attempt extends Exchange {
  #settle = Promise.withResolvers<Outcome | undefined>();

  /** `undefined` where it was overdue. */
  readonly outcome: Promise<Outcome | undefined> = this.#settle.promise;

  /** What `outcome` no longer waits for. */
  late: Promise<Outcome> | undefined;

  override settle(outcome: Outcome): void {
    this.#settle.resolve(outcome);
  }

  overdue(): void {
    const late = Promise.withResolvers<Outcome>();
    this.late = late.promise;
    this.#settle.resolve(undefined);
    this.#settle = late as PromiseWithResolvers<Outcome | undefined>;
  }
}

const watched = new Map<Attempt, number>();
let isLooking = false;

/**
 * Makes an attempt overdue `OVERDUE_MS` from now (`performance.now()`), or up to a tenth later, unless `unwatch` comes
 * first. One timer looks after all: a timer each would take a tenth of the CPU that a request takes.
 */
export function watch(attempt: Attempt, now: number): void {
  watched.set(attempt, now);
  if (!isLooking) lookLater();
}

export function unwatch(attempt: Attempt): void {
  watched.delete(attempt);
}

function lookLater(): void {
  isLooking = watched.size > 0;
  if (isLooking) setTimeout(look, OVERDUE_MS / 10);
}

function look(): void {
  const now = performance.now();
  // In the order in which they were added: the oldest come first.
  for (const [attempt, since] of watched) {
    if (now - since < OVERDUE_MS) break;
    watched.delete(attempt);
    attempt.overdue();
  }
  lookLater();
}
