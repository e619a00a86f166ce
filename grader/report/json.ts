import type { Report } from "../rule.ts";
import type { Language } from "../text.ts";

/** Graded folders as data: an array, one object a folder, all texts in one language. */
export function json(reports: readonly Report[], language: Language): string {
  const plain = reports.map(({ folder, mark, results, advice }) => ({
    folder,
    mark,
    rules: results.map(({ rule, verdict, findings, reason, counts }) => ({
      id: rule.id,
      title: rule.title[language],
      source: rule.source,
      points: rule.points,
      verdict,
      counts,
      ...(reason === undefined ? {} : { reason: reason[language] }),
      findings: findings.map(({ seen, expected, mend }) => ({
        seen: seen[language],
        expected: expected[language],
        mend: mend[language],
      })),
    })),
    advice: advice.map(({ id, good, text }) => ({ id, good, text: text[language] })),
  }));
  return `${JSON.stringify(plain, null, 2)}\n`;
}
