import { statSync } from "node:fs";
import { error, summary } from "@actions/core";
import { type Graded, isGraded } from "../graded.ts";
import { type Language, printable } from "../text.ts";
import { findingsText } from "./findings.ts";
import { githubSummary } from "./github-summary.tsx";
import { showMark } from "./table.ts";
import { WORDS } from "./words.ts";

/**
 * The most that GitHub takes of one step's summary; of a longer one it shows nothing:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#adding-a-job-summary
 */
const MAX_SUMMARY_BYTES = 1024 * 1024;

/** What GitHub shows of a title: https://docs.github.com/en/rest/checks/runs (`title`: 255 characters). */
const MAX_TITLE = 255;

/**
 * Reports to GitHub Actions: an error annotation for each submission with rules that failed, or that was not graded,
 * and a summary of the job, if the runner asks for one. Prints the annotations as workflow commands on stdout, of which
 * GitHub shows the first ten of a step beside its log.
 *
 * @throws {Error} if the summary's file cannot be written
 */
export async function reportToGithub(rows: readonly Graded[], language: Language): Promise<void> {
  for (const row of rows) annotate(row, language);
  const file = process.env.GITHUB_STEP_SUMMARY;
  if (file === undefined || file === "") return;
  // An earlier command of the same step may have written to it.
  const used = statSync(file).size;
  await summary.addRaw(githubSummary(rows, language, MAX_SUMMARY_BYTES - used)).write();
}

function annotate(row: Graded, language: Language): void {
  const titled = (end: string) => ({ title: `${printable(row.name).slice(0, MAX_TITLE - end.length - 2)}: ${end}` });
  if (!isGraded(row)) {
    error(printable(row.error), titled(WORDS[language].ungradable));
    return;
  }
  const failed = row.report.results.filter(({ verdict }) => verdict === "fail");
  if (failed.length === 0) return;
  const text = failed.map(({ rule, findings }) => `${rule.title[language]}\n${findingsText(findings, language)}`);
  error(text.join("\n\n"), titled(showMark(row.report, language)));
}
