import { type Graded, isGraded } from "../graded.ts";
import { MAX_MARK } from "../mark.ts";
import type { Result } from "../rule.ts";
import type { Language } from "../text.ts";
import { findingsText } from "./findings.ts";
import { showMark } from "./table.ts";
import { WORDS } from "./words.ts";

/**
 * One submission in the format that Gradescope's autograders write to `results.json`
 * (https://gradescope-autograders.readthedocs.io/en/latest/specs/).
 *
 * The score on top, out of 20, overrides the sum of the tests' scores. It is the mark, in which rules that were skipped
 * do not count, so it is right whatever was skipped and whatever points a teacher gave. Such a rule is a test without a
 * score and a maximum: Gradescope shows its text only.
 *
 * @returns `undefined` if the submission was not graded. The format has no way to say so: any file that Gradescope
 *   accepts needs a score, and 0 would be a mark. Without a file it reports that the autograder failed, and gives no
 *   score (https://gradescope-autograders.readthedocs.io/en/latest/troubleshooting/).
 */
export function gradescope(row: Graded, language: Language): string | undefined {
  if (!isGraded(row)) return undefined;
  const { mark, results, advice } = row.report;
  const words = WORDS[language];
  const tips = advice.filter(({ met }) => !met).map(({ text }) => `- ${text[language]}`);
  const output = [showMark(row.report, language), ...(tips.length > 0 ? [words.advice, ...tips] : [])].join("\n");
  const value = {
    score: mark,
    execution_time: Math.round(row.seconds),
    output,
    output_format: "text",
    test_output_format: "text",
    test_name_format: "text",
    tests: results.map((result, index) => testOf(result, index + 1, language)),
    extra_data: { id: row.id, date: row.date, max_score: MAX_MARK },
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function testOf({ rule, verdict, findings, reason, seconds }: Result, index: number, language: Language) {
  const passes = verdict === "pass";
  const output = findings.length > 0 ? findingsText(findings, language) : reason?.[language];
  return {
    name: `${rule.id}: ${rule.title[language]}`,
    number: String(index),
    ...(verdict === "skipped"
      ? {}
      : { score: passes ? rule.points : 0, max_score: rule.points, status: passes ? "passed" : "failed" }),
    output: output ?? WORDS[language][verdict],
    output_format: "text",
    extra_data: { rule: rule.id, verdict, seconds },
  };
}
