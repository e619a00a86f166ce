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

/** What came of all claims, in a line. */
export function conclusion(claims: readonly Claim[], wasLeft: boolean): string {
  const wrong = claims.filter(({ holds }) => !holds).length;
  const early = wasLeft ? " You left the tour early." : "";
  return `removed.${early} Claims checked: ${claims.length}, of which false: ${wrong}.`;
}

/** @param left the exit code with which the viewer left; 0 or `undefined` if the claims decide */
export const exitCodeOf = (claims: readonly Claim[], left: number | undefined): number =>
  left || (claims.every(({ holds }) => holds) ? 0 : 1);
