import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Graded } from "../../graded.ts";
import { writeWhole } from "../../write-file.ts";
import { comparable } from "../published.ts";
import { classPage } from "./class-page.tsx";
import { LANGUAGES, LOG_FILES, pageName, submissionFolder } from "./files.ts";
import { submissionPage } from "./submission-page.tsx";

/**
 * Writes the web pages of a class: `index.html` in English and `index.fr.html` in French, and the same two in
 * `submissions/<id>/` for each submission, graded or not. Logs that are there already are linked.
 *
 * @returns the paths of the files
 */
export function writePages(folder: string, rows: readonly Graded[]): string[] {
  const written: string[] = [];
  const write = (path: string, html: string) => {
    writeWhole(path, html);
    written.push(path);
  };
  for (const language of LANGUAGES) write(join(folder, pageName(language)), classPage(rows, language));
  for (const row of comparable(rows)) {
    const place = join(folder, submissionFolder(row.id));
    const logs = LOG_FILES.filter((file) => existsSync(join(place, file)));
    for (const language of LANGUAGES) write(join(place, pageName(language)), submissionPage(row, logs, language));
  }
  return written;
}
