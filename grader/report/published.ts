import { type Graded, isGraded, type WithReport } from "../graded.ts";
import { markOf } from "../mark.ts";
import { text } from "../text.ts";

/** Whether the rule `published` counts in the mark of a submission; `undefined` if it has no mark, or the rule no points. */
function isPublishedJudged(row: Graded): boolean | undefined {
  const result = isGraded(row) ? row.report.results.find(({ rule }) => rule.id === "published") : undefined;
  return result === undefined || result.rule.points === 0 ? undefined : result.verdict !== "skipped";
}

/** Whether `published` could be judged for some submissions and not for others, as when a registry limits the rate. */
export function isPublishedPartly(rows: readonly Graded[]): boolean {
  const judged = rows.map(isPublishedJudged);
  return judged.includes(true) && judged.includes(false);
}

/** The submissions with marks that can be compared: if `published` could not be judged for all, it counts for none. */
export const comparable = (rows: readonly Graded[]): readonly Graded[] =>
  isPublishedPartly(rows) ? rows.map((row) => (isGraded(row) ? withoutPublished(row) : row)) : rows;

const NOT_FOR_ALL = text(
  "could not be judged for every submission, so it counts for none",
  "n'a pas pu être évaluée pour tous les rendus, donc ne compte pour aucun",
);

function withoutPublished(row: WithReport): WithReport {
  const results = row.report.results.map((result) =>
    result.rule.id !== "published" || result.verdict === "skipped"
      ? result
      : { ...result, verdict: "skipped" as const, findings: [], reason: NOT_FOR_ALL },
  );
  return { ...row, report: { ...row.report, results, mark: markOf(results) } };
}
