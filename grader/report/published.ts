import { type Graded, isGraded } from "../graded.ts";
import { markWithoutPublished } from "../mark.ts";

/** Whether the rule `published` counts in the mark of a submission; `undefined` without a mark. */
function isPublishedJudged(row: Graded): boolean | undefined {
  if (!isGraded(row)) return undefined;
  return row.report.results.some(({ rule, verdict }) => rule.id === "published" && verdict !== "skipped");
}

/**
 * Whether `published` could be judged for some submissions and not for others. Then only the marks without it can be
 * compared, so reports show both.
 */
export function isPublishedPartly(rows: readonly Graded[]): boolean {
  const judged = rows.map(isPublishedJudged);
  return judged.includes(true) && judged.includes(false);
}

/** The mark of a submission beside those of others; `undefined` if it has none that can be compared with theirs. */
export function shownMark(row: Graded, isPartly: boolean): number | undefined {
  return isGraded(row) && !(isPartly && !isPublishedJudged(row)) ? row.report.mark : undefined;
}

/** The marks of all graded submissions that can be compared with each other, out of 20. */
export function comparableMarks(rows: readonly Graded[]): number[] {
  const isPartly = isPublishedPartly(rows);
  return rows.filter(isGraded).map(({ report }) => (isPartly ? markWithoutPublished(report.results) : report.mark));
}
