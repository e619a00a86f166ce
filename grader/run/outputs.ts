// What is printed and written of what was graded.

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Graded, isGraded } from "../graded.ts";
import { reportToGithub } from "../report/github.ts";
import { json } from "../report/json.ts";
import { junit } from "../report/junit.ts";
import { comparable } from "../report/published.ts";
import { painter, showMark, summary, table } from "../report/table.ts";
import { WORKSHEET_FILE, type Written, writeReports } from "../report/write.ts";
import type { Result } from "../rule.ts";
import { type Language, printable } from "../text.ts";
import type { ClassOptions } from "./class.ts";
import type { Results } from "./results.ts";
import { note, noteWithoutTerminal, print, words } from "./screen.ts";

/** Files that the command line asks for. */
export interface Outputs {
  readonly json?: string;
  readonly junit?: string;
}

const EXIT_CODE = { passed: 0, failed: 1, ungradable: 2 };

type OnGraded = ClassOptions["onGraded"];

/** Prints all that was found in a submission. */
export const showTable =
  (language: Language): OnGraded =>
  (row) =>
    isGraded(row)
      ? print(table(row.name, row.report, language, painter(process.stdout.isTTY === true)))
      : note(`error: ${row.error}`);

/** Prints the mark of a submission. */
export const showLine =
  (language: Language): OnGraded =>
  (row, isKnown, status) => {
    if (!isGraded(row)) note(`error: ${row.error}`);
    else print(`${printable(row.name)}: ${showMark(row.report, language)}${isKnown ? `, ${words().known}` : ""}`);
    noteWithoutTerminal(status);
  };

/** Prints the summary, and writes the files that the command line and GitHub Actions ask for. */
export async function writeFiles(rows: readonly Graded[], outputs: Outputs, language: Language): Promise<void> {
  if (rows.length > 1) print(summary(rows, language));
  if (outputs.json !== undefined) writeFileSync(outputs.json, json(rows, language));
  if (outputs.junit !== undefined) writeFileSync(outputs.junit, junit(rows, language));
  if (process.env.GITHUB_ACTIONS === "true") await reportToGithub(comparable(rows), language);
}

/** Writes the reports of all results that are kept in a folder. */
export function writeKept(
  { folder }: Results,
  rows: readonly Graded[],
  { lang: language, worksheet }: { readonly lang: Language; readonly worksheet?: string | undefined },
): void {
  sayWritten(writeReports(folder, rows, { language, worksheet }));
  const filled = join(folder, WORKSHEET_FILE);
  if (worksheet === undefined && existsSync(filled)) note(words().earlierWorksheet(filled));
}

function sayWritten({ files, worksheet }: Written): void {
  const said = words();
  for (const file of files) print(`${said.written} ${file}`);
  if (worksheet === undefined) return;
  const { filled, empty, locked, missing } = worksheet;
  print(`${said.filled} ${filled}`);
  if (filled === 0) note(said.nobodyFilled);
  const lists = [
    [said.leftEmpty, empty],
    [said.leftLocked, locked],
    [said.notInWorksheet, missing],
  ] as const;
  for (const [what, names] of lists) if (names.length > 0) print(`${what} ${printable(names.join(", "))}`);
}

export function exitCodeOf(rows: readonly Graded[]): number {
  if (!rows.every(isGraded)) return EXIT_CODE.ungradable;
  const isLost = ({ verdict }: Result) => verdict === "fail" || verdict === "blocked";
  const failed = rows.some(({ report }) => report.results.some(isLost));
  return failed ? EXIT_CODE.failed : EXIT_CODE.passed;
}
