import { type Graded, isGraded } from "../graded.ts";
import { markWithoutPublished } from "../mark.ts";
import type { Report } from "../rule.ts";
import type { Language } from "../text.ts";

/**
 * All submissions as JSON: an array of one object each, with all texts in one language. One that could not be graded
 * has `folder` and `error` only.
 */
export function json(rows: readonly Graded[], language: Language): string {
  const translated = rows.map((row) =>
    isGraded(row)
      ? { folder: row.name, seconds: row.seconds, ...translate(row.report, language) }
      : { folder: row.name, error: row.error },
  );
  return `${JSON.stringify(translated, null, 2)}\n`;
}

const translate = ({ mark, results, advice }: Report, language: Language) => ({
  mark,
  markWithoutPublished: markWithoutPublished(results),
  rules: results.map(({ rule, verdict, seconds, findings, reason }) => ({
    id: rule.id,
    title: rule.title[language],
    source: rule.source,
    points: rule.points,
    verdict,
    seconds,
    ...(reason === undefined ? {} : { reason: reason[language] }),
    findings: findings.map(({ seen, expected, fix }) => ({
      seen: seen[language],
      expected: expected[language],
      fix: fix[language],
    })),
  })),
  advice: advice.map(({ id, met, text }) => ({ id, met, text: text[language] })),
});
