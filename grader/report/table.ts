import { styleText } from "node:util";
import Table from "cli-table3";
import { markWithoutPublished } from "../mark.ts";
import type { Report, Result } from "../rule.ts";
import type { Language } from "../text.ts";

const WORDS = {
  en: {
    pass: "pass",
    fail: "FAIL",
    blocked: "blocked",
    skipped: "skipped",
    rule: "rule",
    points: "points",
    verdict: "verdict",
    seen: "seen:",
    expected: "expected:",
    fix: "fix:",
    blockedRules: "blocked by a rule that did not pass, points lost:",
    advice: "advice, without points:",
    folder: "folder",
    mark: "mark",
    without: "without published",
    compare: "The rule published could not be judged for every folder: compare the marks without it.",
    ungradable: "could not be graded",
  },
  fr: {
    pass: "réussie",
    fail: "ÉCHEC",
    blocked: "bloquée",
    skipped: "non évaluée",
    rule: "règle",
    points: "points",
    verdict: "verdict",
    seen: "constaté :",
    expected: "attendu :",
    fix: "à corriger :",
    blockedRules: "bloquées par une règle non validée, points perdus :",
    advice: "conseils, hors barème :",
    folder: "dossier",
    mark: "note",
    without: "sans published",
    compare: "La règle published n'a pas pu être évaluée pour tous les dossiers : comparez les notes sans elle.",
    ungradable: "correction impossible",
  },
} as const;

type Format = Parameters<typeof styleText>[0];

/** Colours a text, if the output is a terminal. */
export type Paint = (format: Format, words: string) => string;
export const painter =
  (colours: boolean): Paint =>
  (format, words) =>
    colours ? styleText(format, words) : words;

const COLOUR = { pass: "green", fail: "red", blocked: "yellow", skipped: "yellow" } as const;

const pointsOf = ({ rule, verdict }: Result) =>
  `${{ pass: rule.points, fail: 0, blocked: 0, skipped: "–" }[verdict]}/${rule.points}`;

const showMark = (mark: number, language: Language) => `${mark.toLocaleString(language)}/20`;

/** One report, as text for a terminal. */
export function table(report: Report, language: Language, paint: Paint): string {
  const words = WORDS[language];
  const rules = new Table({ head: ["", words.rule, words.points, words.verdict], style: { head: [], border: [] } });
  for (const result of report.results) {
    const { rule, verdict } = result;
    rules.push([rule.id, rule.title[language], pointsOf(result), paint(COLOUR[verdict], words[verdict])]);
  }
  const blocked = report.results.filter(({ verdict }) => verdict === "blocked").map(({ rule }) => rule.id);
  const advice = report.advice.map(
    ({ met, text }) => `  ${met ? paint("green", "✓") : paint("yellow", "·")} ${text[language]}`,
  );
  return [
    rules.toString(),
    ...report.results.flatMap((result) => detailsOf(result, language, paint)),
    ...(blocked.length > 0 ? [`${words.blockedRules} ${blocked.join(", ")}`] : []),
    ...(advice.length > 0 ? [words.advice, ...advice] : []),
    paint("bold", `${report.folder}: ${showMark(report.mark, language)}`),
  ].join("\n");
}

/** The lines below the table on one rule; a blocked rule has none, as one line lists them all. */
function detailsOf({ rule, verdict, findings, reason }: Result, language: Language, paint: Paint): string[] {
  const words = WORDS[language];
  const id = paint(COLOUR[verdict], rule.id);
  if (findings.length > 0) {
    const lines = findings.flatMap(({ seen, expected, fix }) => [
      `    ${words.seen} ${seen[language]}`,
      `    ${words.expected} ${expected[language]}`,
      `    ${words.fix} ${fix[language]}`,
    ]);
    return [`${id}  « ${rule.source} »`, ...lines];
  }
  return reason === undefined || verdict === "blocked" ? [] : [`${id}  ${reason[language]}`];
}

type Row = Report | { folder: string; error: string };

/**
 * Several reports, as a table of one line per folder with its mark and the rules that failed. If `published` could be
 * judged for some folders only, also with the marks without it.
 */
export function summary(rows: readonly Row[], language: Language): string {
  const words = WORDS[language];
  const judged = rows.map(isPublishedJudged).filter((known) => known !== undefined);
  const isPartly = judged.includes(true) && judged.includes(false);
  const head = [words.folder, words.mark, ...(isPartly ? [words.without] : []), ""];
  const all = new Table({ head, style: { head: [], border: [] } });
  for (const row of rows) {
    const without = "error" in row ? "–" : showMark(markWithoutPublished(row.results), language);
    const [mark, remark] = markAndRemark(row, isPartly, language);
    all.push([row.folder, mark, ...(isPartly ? [without] : []), remark]);
  }
  return [all.toString(), ...(isPartly ? [words.compare] : [])].join("\n");
}

/** Whether the rule `published` counts in a mark; `undefined` without one. */
function isPublishedJudged(row: Row): boolean | undefined {
  if ("error" in row) return undefined;
  return row.results.some(({ rule, verdict }) => rule.id === "published" && verdict !== "skipped");
}

function markAndRemark(row: Row, isPartly: boolean, language: Language): [mark: string, remark: string] {
  if ("error" in row) return ["–", WORDS[language].ungradable];
  const failed = row.results.filter(({ verdict }) => verdict === "fail").map(({ rule }) => rule.id);
  const mark = isPartly && !isPublishedJudged(row) ? "–" : showMark(row.mark, language);
  return [mark, failed.join(" ")];
}
