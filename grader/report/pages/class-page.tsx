import { type Graded, isGraded } from "../../graded.ts";
import type { Language } from "../../text.ts";
import { comparable, isPublishedPartly } from "../published.ts";
import { distribution } from "./distribution.ts";
import { dateRange, number } from "./format.ts";
import { page } from "./layout.tsx";
import { Figure, Mark } from "./parts.tsx";
import { RulesTable } from "./rules-table.tsx";
import { mean, median } from "./statistics.ts";
import { SubmissionsTable } from "./submissions-table.tsx";
import { PAGE_WORDS } from "./words.ts";

/** The page of a class, as the text of an HTML file. */
export function classPage(all: readonly Graded[], language: Language): string {
  const words = PAGE_WORDS[language];
  const rows = comparable(all);
  const marks = rows.filter(isGraded).map(({ report }) => report.mark);
  const notGraded = rows.length - marks.length;
  return page({
    language,
    title: words.title,
    children: (
      <>
        <h1>{words.title}</h1>
        <p class="lead">
          {words.gradedOn(
            dateRange(
              rows.map((row) => row.date),
              language,
            ),
          )}
        </p>
        <dl class="figures">
          <Figure name={words.graded(marks.length)}>{number(marks.length, language)}</Figure>
          <Figure name={words.notGraded(notGraded)}>{number(notGraded, language)}</Figure>
          {marks.length > 0 && (
            <>
              <Figure name={words.mean}>
                <Mark mark={mean(marks)} language={language} />
              </Figure>
              <Figure name={words.median}>
                <Mark mark={median(marks)} language={language} />
              </Figure>
            </>
          )}
        </dl>
        {isPublishedPartly(all) && <p class="note">{words.comparable}</p>}
        <h2>{words.distribution}</h2>
        <Distribution marks={marks} language={language} />
        {marks.length > 0 && (
          <>
            <h2>{words.rules}</h2>
            <RulesTable rows={rows} language={language} />
          </>
        )}
        <h2>{words.submissions}</h2>
        <SubmissionsTable rows={rows} language={language} />
      </>
    ),
  });
}

function Distribution({ marks, language }: { marks: readonly number[]; language: Language }) {
  const words = PAGE_WORDS[language];
  if (marks.length === 0) return <p>{words.noMarks}</p>;
  const show = (mark: number) => number(mark, language);
  return (
    <figure>
      {/* SVG from numbers and our own words */}
      <div dangerouslySetInnerHTML={{ __html: distribution(marks, language) }} />
      <figcaption>
        {words.distributionCaption(marks.length, show(Math.min(...marks)), show(Math.max(...marks)))}
      </figcaption>
    </figure>
  );
}
