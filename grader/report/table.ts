import { styleText } from "node:util";
import Table from "cli-table3";
import type { Report, Result } from "../rule.ts";
import type { Language } from "../text.ts";

const WORDS = {
  en: {
    pass: "pass",
    fail: "FAIL",
    skipped: "skipped",
    rule: "rule",
    points: "points",
    verdict: "verdict",
    seen: "seen",
    expected: "expected",
    mend: "to do",
    mark: "mark",
    advice: "beyond the subject, without points",
    folder: "folder",
    ungradable: "cannot be graded",
    moot: "not judged, for they rest on a rule that has not passed",
  },
  fr: {
    pass: "réussi",
    fail: "ÉCHEC",
    skipped: "sauté",
    rule: "règle",
    points: "points",
    verdict: "verdict",
    seen: "vu",
    expected: "attendu",
    mend: "à faire",
    mark: "note",
    advice: "au-delà du sujet, sans points",
    folder: "dossier",
    ungradable: "ne peut être noté",
    moot: "non jugées, car elles reposent sur une règle qui n'est pas passée",
  },
} as const;

type Format = Parameters<typeof styleText>[0];

/** Colours are for terminals. */
export type Paint = (format: Format, words: string) => string;
export const painter =
  (colours: boolean): Paint =>
  (format, words) =>
    colours ? styleText(format, words) : words;

const COLOUR = { pass: "green", fail: "red", skipped: "yellow" } as const;

/** Not judged, since another rule has not passed. */
const isMoot = (verdict: Result["verdict"], counts: boolean) => verdict === "skipped" && counts;

const pointsOf = ({ rule, verdict, counts }: Result) =>
  counts ? `${verdict === "pass" ? rule.points : 0}/${rule.points}` : `–/${rule.points}`;

/** A graded folder, for a reader. */
export function table(report: Report, language: Language, paint: Paint): string {
  const words = WORDS[language];
  const rules = new Table({ head: ["", words.rule, words.points, words.verdict], style: { head: [], border: [] } });
  for (const result of report.results) {
    const { rule, verdict } = result;
    rules.push([rule.id, rule.title[language], pointsOf(result), paint(COLOUR[verdict], words[verdict])]);
  }
  const details = report.results.flatMap(({ rule, findings, reason, verdict, counts }) => {
    const id = paint(COLOUR[verdict], rule.id);
    if (findings.length === 0)
      return reason === undefined || isMoot(verdict, counts) ? [] : [`${id}  ${reason[language]}`];
    return [
      `${id}  « ${rule.source} »`,
      ...findings.flatMap(({ seen, expected, mend }) => [
        `    ${words.seen}: ${seen[language]}`,
        `    ${words.expected}: ${expected[language]}`,
        `    ${words.mend}: ${mend[language]}`,
      ]),
    ];
  });
  const moot = report.results.filter(({ verdict, counts }) => isMoot(verdict, counts)).map(({ rule }) => rule.id);
  if (moot.length > 0) details.push(`${words.moot}: ${moot.join(", ")}`);
  const advice = report.advice.map(
    ({ good, text }) => `  ${good ? paint("green", "✓") : paint("yellow", "·")} ${text[language]}`,
  );
  return [
    rules.toString(),
    ...details,
    ...(advice.length > 0 ? [`${words.advice}:`, ...advice] : []),
    paint("bold", `${report.folder}: ${report.mark}/20`),
  ].join("\n");
}

/** Many graded folders, a line each; those that could not be graded say why. */
export function summary(rows: readonly (Report | { folder: string; error: string })[], language: Language): string {
  const words = WORDS[language];
  const all = new Table({ head: [words.folder, words.mark, ""], style: { head: [], border: [] } });
  for (const row of rows) {
    if ("error" in row) all.push([row.folder, "–", words.ungradable]);
    else {
      const failed = row.results.filter(({ verdict }) => verdict === "fail").map(({ rule }) => rule.id);
      all.push([row.folder, `${row.mark}/20`, failed.join(" ")]);
    }
  }
  return all.toString();
}
