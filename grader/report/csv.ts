import { stringify } from "csv-stringify/sync";
import { type Graded, isGraded } from "../graded.ts";
import { markWithoutPublished } from "../mark.ts";
import { type Language, printable } from "../text.ts";
import { WORDS } from "./words.ts";

/** As a spreadsheet of that language expects it. */
const DELIMITER = { en: ",", fr: ";" };

/**
 * A line per submission, graded or not, after a line of headers: name, participant, mark and mark without `published`
 * out of 20, the verdict of each rule, and why it could not be graded.
 *
 * RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180), but in French with semicolons, and marks with a decimal comma, as
 * Excel expects them there. It begins with a byte order mark, without which
 * Excel takes UTF-8 for windows-1252. Text that a spreadsheet would take for a formula begins with an apostrophe
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export function csv(rows: readonly Graded[], language: Language): string {
  const words = WORDS[language];
  const rules = [...new Set(rows.filter(isGraded).flatMap(({ report }) => report.results.map(({ rule }) => rule.id)))];
  const head = [words.name, words.participant, words.mark, words.without, ...rules, words.error];
  const show = (mark: number) => mark.toLocaleString(language);
  const lines = rows.map((row) => {
    const who = [cell(row.name), row.participant ?? ""];
    if (!isGraded(row)) return [...who, "", "", ...rules.map(() => ""), cell(row.error)];
    const { mark, results } = row.report;
    const verdicts = new Map(results.map(({ rule, verdict }) => [rule.id, words[verdict]]));
    return [...who, show(mark), show(markWithoutPublished(results)), ...rules.map((id) => verdicts.get(id) ?? ""), ""];
  });
  return stringify([head, ...lines], {
    delimiter: DELIMITER[language],
    bom: true,
    record_delimiter: "\r\n",
    escape_formulas: true,
  });
}

/** A text of one line, in which nothing becomes a formula where a spreadsheet splits at semicolons, not at commas. */
const cell = (words: string) => printable(words).replace(/;(?=\s*[=+\-@])/g, ",");
