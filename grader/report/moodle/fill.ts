import { stringify } from "csv-stringify/sync";
import { type Graded, isGraded, type WithReport } from "../../graded.ts";
import { MAX_MARK } from "../../mark.ts";
import { type Language, printable } from "../../text.ts";
import { type Columns, columnsOf, comparable } from "./columns.ts";
import { feedbackHtml } from "./feedback.tsx";
import { match } from "./match.ts";
import { type Line, readWorksheet, WorksheetError } from "./worksheet.ts";

/** A worksheet that was filled in, and what the teacher should know. All lists hold names, fit to print. */
export interface Filled {
  readonly csv: string;
  /** How many rows were given a grade. */
  readonly filled: number;
  /** Rows without a graded submission, which stay as they are. */
  readonly empty: readonly string[];
  /** Rows whose grade Moodle does not let anybody change, although there is a mark. */
  readonly locked: readonly string[];
  /** Graded submissions that the worksheet does not have, or of which it is not certain which row is theirs. */
  readonly missing: readonly string[];
}

/**
 * Fills Moodle's grading worksheet in: the grade, scaled to the maximum, and the feedback, if it has such a column.
 *
 * All other cells keep their values, and rows without a grade keep every byte: an empty cell for feedback would delete
 * what is there. Nothing else is escaped, as names that begin with `=` are Moodle's own.
 * Source: https://github.com/moodle/moodle/blob/main/mod/assign/feedback/offline/locallib.php
 *
 * @param file the worksheet's text, as `decodeWorksheet` gives it
 * @throws {WorksheetError}
 */
export function fillWorksheet(file: string, rows: readonly Graded[], language: Language): Filled {
  const worksheet = readWorksheet(file);
  const columns = columnsOf(worksheet.head);
  const matches = match(worksheet.lines, rows.filter(isGraded), columns);
  const counts = { filled: 0, empty: [] as string[], locked: [] as string[] };

  const lines = worksheet.lines.map((line) => {
    const row = matches.get(line);
    const name = printable(line.cells[columns.name ?? columns.identifier] ?? "");
    if (row === undefined) counts.empty.push(name);
    else if (isLocked(line, columns)) counts.locked.push(name);
    else {
      counts.filled += 1;
      return fill(line, row, columns, worksheet.delimiter, language);
    }
    return line.text;
  });

  const found = new Set(matches.values());
  const missing = rows.filter((row) => isGraded(row) && !found.has(row)).map(({ name }) => printable(name));
  const csv = [worksheet.mark, worksheet.head.text, ...lines, worksheet.rest].join("");
  return { csv, ...counts, missing };
}

const isLocked = ({ cells }: Line, { changeable }: Columns): boolean =>
  changeable !== undefined && ["no", "non"].includes(comparable(cells[changeable] ?? ""));

function fill(line: Line, { report }: WithReport, columns: Columns, delimiter: string, language: Language): string {
  const cells = [...line.cells];
  const grade = (report.mark / MAX_MARK) * maximumOf(line, columns);
  // A decimal point, which Moodle reads in every language: `unformat_float` in lib/moodlelib.php only turns commas to it.
  cells[columns.grade] = String(Math.round(grade * 100) / 100);
  if (columns.feedback !== undefined) cells[columns.feedback] = feedbackHtml(report, language);
  const [before = "", after = ""] = [/^[\r\n]*/, /[\r\n]*$/].map((ends) => ends.exec(line.text)?.[0]);
  return before + stringify([cells], { delimiter, eof: false, record_delimiter: "\n", quoted_match: /[\r\n]/ }) + after;
}

/** The highest grade of a line; Moodle refuses one above. It may have a decimal comma and spaces between thousands. */
function maximumOf({ cells, number }: Line, { maximum }: Columns): number {
  if (maximum === undefined) return MAX_MARK;
  const cell = cells[maximum] ?? "";
  const value = Number(cell.replace(/\s/g, "").replace(",", "."));
  if (cell.trim() !== "" && value > 0) return value;
  throw new WorksheetError(`line ${number}: the maximum grade ${JSON.stringify(cell)} is not a number above 0`);
}
