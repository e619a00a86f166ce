import { type Graded, isGraded } from "../../graded.ts";
import { MAX_MARK } from "../../mark.ts";
import type { RuleInfo, Verdict } from "../../rule.ts";

/** @param values at least one */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return mean(sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1));
}

/** How many marks, rounded down, are 0, 1, … 20: full marks have a bar of their own. */
export function countMarks(marks: readonly number[]): number[] {
  const counts = Array<number>(MAX_MARK + 1).fill(0);
  for (const mark of marks) counts[Math.floor(mark)] = (counts[Math.floor(mark)] ?? 0) + 1;
  return counts;
}

export interface RuleCount {
  readonly rule: RuleInfo;
  readonly counts: Record<Verdict, number>;
}

/** How often each rule had each verdict, in the order of the rules. */
export function countVerdicts(rows: readonly Graded[]): RuleCount[] {
  const all = new Map<string, RuleCount>();
  for (const { report } of rows.filter(isGraded)) {
    for (const { rule, verdict } of report.results) {
      const known = all.get(rule.id) ?? { rule, counts: { pass: 0, fail: 0, blocked: 0, skipped: 0 } };
      known.counts[verdict] += 1;
      all.set(rule.id, known);
    }
  }
  return [...all.values()];
}
