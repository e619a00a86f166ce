import { type Graded, isGraded } from "../../graded.ts";
import { type Language, printable } from "../../text.ts";
import { showPoints } from "../table.ts";
import { classHref, type LogFile } from "./files.ts";
import { date, number } from "./format.ts";
import { Judged } from "./judged.tsx";
import { page } from "./layout.tsx";
import { Figure, Mark, Name } from "./parts.tsx";
import { PAGE_WORDS } from "./words.ts";

/**
 * The page of one submission, as the text of an HTML file.
 *
 * @param logs the logs that are beside it
 */
export function submissionPage(row: Graded, logs: readonly LogFile[], language: Language): string {
  const words = PAGE_WORDS[language];
  const name = printable(row.name);
  const points = isGraded(row) ? showPoints(row.report, language) : undefined;
  return page({
    language,
    title: `${name} – ${words.title}`,
    back: <a href={classHref(language)}>← {words.back}</a>,
    children: (
      <>
        <h1>
          <Name>{row.name}</Name>
        </h1>
        <dl class="figures">
          {isGraded(row) && (
            <Figure name={points === undefined ? words.mark : `${words.mark} (${points})`}>
              <Mark mark={row.report.mark} language={language} />
            </Figure>
          )}
          <Figure name={isGraded(row) ? words.date : words.listed} small>
            <time dateTime={row.date}>{date(row.date, language)}</time>
          </Figure>
          {isGraded(row) && (
            <Figure name={words.duration} small>
              {words.seconds(number(row.seconds, language, 0))}
            </Figure>
          )}
          {row.participant !== undefined && (
            <Figure name={words.participant} small>
              {row.participant}
            </Figure>
          )}
        </dl>
        {isGraded(row) ? (
          <Judged report={row.report} language={language} />
        ) : (
          <div class="note">
            <p>{words.ungradableLong}</p>
            <p>{printable(row.error)}</p>
          </div>
        )}
        {logs.length > 0 && <Logs logs={logs} language={language} />}
      </>
    ),
  });
}

function Logs({ logs, language }: { logs: readonly LogFile[]; language: Language }) {
  const words = PAGE_WORDS[language];
  return (
    <>
      <h2>{words.logs}</h2>
      <ul class="logs">
        {logs.map((file) => (
          <li>
            <a href={file}>{words.logNames[file]}</a> <code class="soft">{file}</code>
          </li>
        ))}
      </ul>
    </>
  );
}
