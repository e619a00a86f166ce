import { styleText } from "node:util";
import Table from "cli-table3";
import { type Graded, isGraded } from "../graded.ts";
import { MAX_MARK, pointsIn } from "../mark.ts";
import type { Report, Result } from "../rule.ts";
import type { Language } from "../text.ts";
import { comparable, isPublishedPartly } from "./published.ts";
import { WORDS } from "./words.ts";

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

/** The mark as it is read, such as `16.7/20 (15 of 18 points)` or `15,5/20`. */
export function showMark(report: Report, language: Language): string {
  const points = showPoints(report, language);
  return `${report.mark.toLocaleString(language)}/${MAX_MARK}${points === undefined ? "" : ` (${points})`}`;
}

/** The points that the mark stands for; `undefined` if that is plain: they are out of 20 as well, or all are won. */
export function showPoints({ results }: Report, language: Language): string | undefined {
  const { won, possible } = pointsIn(results);
  if (possible === MAX_MARK || won === possible) return undefined;
  return WORDS[language].pointsOf(won.toLocaleString(language), possible.toLocaleString(language));
}

/** One report, as text for a terminal. */
export function table(name: string, report: Report, language: Language, paint: Paint): string {
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
    paint("bold", `${name}: ${showMark(report, language)}`),
  ].join("\n");
}

/** The ids of the rules that failed. */
export const failedRules = ({ results }: Report): string[] =>
  results.filter(({ verdict }) => verdict === "fail").map(({ rule }) => rule.id);

/** How many rules were blocked, as a text; `undefined` if none was. Their points are lost as well. */
export function blockedRules({ results }: Report, language: Language): string | undefined {
  const count = results.filter(({ verdict }) => verdict === "blocked").length;
  return count === 0 ? undefined : WORDS[language].blockedCount(count);
}

/** The rules whose points are lost, on a line: the ids of those that failed, and how many were blocked. */
export const lostRules = (report: Report, language: Language): string =>
  [...failedRules(report), blockedRules(report, language)].filter((one) => one !== undefined).join(" ");

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

/** Several submissions, as a table of one line each with its mark, comparable with the others, and the rules that it lost. */
export function summary(rows: readonly Graded[], language: Language): string {
  const words = WORDS[language];
  const all = new Table({ head: [words.submission, words.mark, ""], style: { head: [], border: [] } });
  for (const row of comparable(rows))
    all.push(
      isGraded(row)
        ? [row.name, showMark(row.report, language), lostRules(row.report, language)]
        : [row.name, "–", words.ungradable],
    );
  return [all.toString(), ...(isPublishedPartly(rows) ? [words.compare] : [])].join("\n");
}
