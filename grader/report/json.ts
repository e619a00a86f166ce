import { markWithoutPublished } from "../mark.ts";
import type { Report } from "../rule.ts";
import type { Language } from "../text.ts";

/** The reports as JSON: an array of one object per folder, with all texts in one language. */
export function json(reports: readonly Report[], language: Language): string {
  const translated = reports.map(({ folder, mark, results, advice }) => ({
    folder,
    mark,
    markWithoutPublished: markWithoutPublished(results),
    rules: results.map(({ rule, verdict, findings, reason }) => ({
      id: rule.id,
      title: rule.title[language],
      source: rule.source,
      points: rule.points,
      verdict,
      ...(reason === undefined ? {} : { reason: reason[language] }),
      findings: findings.map(({ seen, expected, fix }) => ({
        seen: seen[language],
        expected: expected[language],
        fix: fix[language],
      })),
    })),
    advice: advice.map(({ id, met, text }) => ({ id, met, text: text[language] })),
  }));
  return `${JSON.stringify(translated, null, 2)}\n`;
}
