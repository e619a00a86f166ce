import type { Result } from "./rule.ts";

export const MAX_MARK = 20;

/** The points that were won, and all that count: rules that were skipped do not. */
export function pointsIn(results: readonly Result[]): { readonly won: number; readonly possible: number } {
  const sum = (some: readonly Result[]) => some.reduce((points, { rule }) => points + rule.points, 0);
  const counted = results.filter(({ verdict }) => verdict !== "skipped");
  return { won: sum(counted.filter(({ verdict }) => verdict === "pass")), possible: sum(counted) };
}

/** The mark out of 20, to one decimal. Rules that were skipped do not count; 0 if none that counts has points. */
export function markOf(results: readonly Result[]): number {
  const { won, possible } = pointsIn(results);
  return possible === 0 ? 0 : Math.round((won / possible) * MAX_MARK * 10) / 10;
}

/** The mark without the rule `published`, which depends on what can be reached: comparable between all folders. */
export const markWithoutPublished = (results: readonly Result[]): number =>
  markOf(results.filter(({ rule }) => rule.id !== "published"));
