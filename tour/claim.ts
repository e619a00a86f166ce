/** A sentence about what was seen, and whether it is true. */
export interface Claim {
  readonly holds: boolean;
  readonly text: string;
}

/**
 * A claim that says something else when it is false.
 *
 * @param right what is said if it holds
 * @param wrong what is said if not: what was seen instead
 */
export const claim = (holds: boolean, right: string, wrong: string): Claim => ({ holds, text: holds ? right : wrong });

/** A time in ms as people read it: `0.34 s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
