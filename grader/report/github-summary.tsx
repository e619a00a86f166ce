import renderToString from "preact-render-to-string";
import { type Graded, isGraded } from "../graded.ts";
import { type Language, printable } from "../text.ts";
import { findingsText } from "./findings.ts";
import { failedRules, lostRules, showMark } from "./table.ts";
import { WORDS } from "./words.ts";

/** Says what is missing, at the end; always fits. */
const REST = {
  en: (count: number) => `\n\n${count} more submissions or details are left out here: GitHub limits the summary.\n`,
  fr: (count: number) => `\n\n${count} autres rendus ou détails sont omis ici : GitHub limite le résumé.\n`,
};
const RESERVE = 400;

/**
 * All submissions as HTML for GitHub's job summary: a table, then what failed in each, as far as it fits.
 *
 * HTML within Markdown is read as HTML up to a blank line (https://spec.commonmark.org/0.31.2/#html-blocks), so nothing
 * here has line ends, and what submissions say cannot become Markdown.
 *
 * @param maxBytes how much GitHub still takes
 */
export function githubSummary(rows: readonly Graded[], language: Language, maxBytes: number): string {
  const words = WORDS[language];
  const head = [words.name, words.mark, ""];
  const open = `<table><thead>${html(
    <tr>
      {head.map((title) => (
        <th>{title}</th>
      ))}
    </tr>,
  )}</thead><tbody>`;
  const close = "</tbody></table>";
  const lines = rows.map((row) => html(<Row row={row} language={language} />));
  const details = rows.flatMap((row) =>
    hasDetails(row) ? [`\n\n${html(<Details row={row} language={language} />)}`] : [],
  );

  let left = maxBytes - RESERVE - Buffer.byteLength(open + close);
  const fits = (part: string) => {
    left -= Buffer.byteLength(part);
    return left >= 0;
  };
  const shownLines = takeWhile(lines, fits);
  const shownDetails = takeWhile(details, fits);
  const omitted = lines.length + details.length - shownLines.length - shownDetails.length;
  return [open, ...shownLines, close, ...shownDetails, omitted > 0 ? REST[language](omitted) : "\n"].join("");
}

function takeWhile<T>(all: readonly T[], isWanted: (one: T) => boolean): readonly T[] {
  const end = all.findIndex((one) => !isWanted(one));
  return end < 0 ? all : all.slice(0, end);
}

const html = (node: preact.JSX.Element): string => renderToString(node).replace(/[\r\n]+/g, " ");

const hasDetails = (row: Graded) => isGraded(row) && failedRules(row.report).length > 0;

function Row({ row, language }: { row: Graded; language: Language }) {
  const graded = isGraded(row) ? row.report : undefined;
  const remark = graded === undefined ? WORDS[language].ungradable : lostRules(graded, language);
  return (
    <tr>
      <td>{printable(row.name)}</td>
      <td>{graded === undefined ? "–" : showMark(graded, language)}</td>
      <td>{remark}</td>
    </tr>
  );
}

function Details({ row, language }: { row: Graded; language: Language }) {
  const failed = isGraded(row) ? row.report.results.filter(({ verdict }) => verdict === "fail") : [];
  return (
    <details>
      <summary>{printable(row.name)}</summary>
      <ul>
        {failed.map(({ rule, findings }) => (
          <li>
            <strong>{rule.title[language]}</strong>
            {findingsText(findings, language)
              .split(/\n+/)
              .map((line) => [<br />, <code>{line}</code>])}
          </li>
        ))}
      </ul>
    </details>
  );
}
