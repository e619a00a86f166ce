import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Graded } from "../graded.ts";
import type { Language } from "../text.ts";
import { writeWhole } from "../write-file.ts";
import { csv } from "./csv.ts";
import { gradescope } from "./gradescope.ts";
import { junit } from "./junit.ts";
import { type Filled, fillWorksheet } from "./moodle/fill.ts";
import { decodeWorksheet, WorksheetError } from "./moodle/worksheet.ts";
import { pageName, submissionFolder } from "./pages/files.ts";
import { writePages } from "./pages/pages.ts";
import { comparable } from "./published.ts";

/** The worksheet that was filled in, beside the other reports. */
export const WORKSHEET_FILE = "moodle.csv";

export interface Written {
  /** The files to tell of: the page of the class in the teacher's language, the marks, and the worksheet. */
  readonly files: readonly string[];
  /** What to tell of Moodle's worksheet, if one was given. */
  readonly worksheet?: Omit<Filled, "csv">;
}

/**
 * Writes the reports of a class into a folder: the web pages, `marks.csv`, `junit.xml`, for each submission that was
 * graded `submissions/<id>/results.json` (Gradescope), and `moodle.csv`, if a worksheet of Moodle is given.
 *
 * @param options.worksheet path of the grading worksheet, which stays as it is
 * @throws {WorksheetError} with the worksheet's path; all other reports are written before
 */
export function writeReports(
  folder: string,
  all: readonly Graded[],
  { language, worksheet }: { readonly language: Language; readonly worksheet?: string | undefined },
): Written {
  const rows = comparable(all);
  writePages(folder, all);
  const index = join(folder, pageName(language));
  const marks = join(folder, "marks.csv");
  writeWhole(marks, csv(rows, language));
  writeWhole(join(folder, "junit.xml"), junit(rows, language));
  for (const row of rows) {
    const path = join(folder, submissionFolder(row.id), "results.json");
    const results = gradescope(row, language);
    // One of an earlier run would be a mark of something else.
    if (results === undefined) rmSync(path, { force: true });
    else writeWhole(path, results);
  }
  if (worksheet === undefined) return { files: [index, marks] };
  const { csv: filled, ...counts } = fillFile(worksheet, rows, language);
  const moodle = join(folder, WORKSHEET_FILE);
  writeWhole(moodle, filled);
  return { files: [index, marks, moodle], worksheet: counts };
}

/**
 * Fills the worksheet of a path in; without rows, only checks it.
 *
 * @throws {WorksheetError} with the path
 */
export function fillFile(path: string, rows: readonly Graded[], language: Language): Filled {
  try {
    return fillWorksheet(decodeWorksheet(readFileSync(path)), rows, language);
  } catch (error) {
    throw new WorksheetError(`${path}: ${(error as Error).message}`);
  }
}
