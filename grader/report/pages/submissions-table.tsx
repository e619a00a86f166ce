import { type Graded, isGraded } from "../../graded.ts";
import { type Language, printable } from "../../text.ts";
import { blockedRules, failedRules } from "../table.ts";
import { Cell, Row, Table } from "./data-table.tsx";
import { submissionHref } from "./files.ts";
import { Mark, Name } from "./parts.tsx";
import { PAGE_WORDS } from "./words.ts";

/** All submissions, graded or not, each with a link to its page. */
export function SubmissionsTable({ rows, language }: { rows: readonly Graded[]; language: Language }) {
  const words = PAGE_WORDS[language];
  const columns = [{ title: words.name }, { title: words.mark, isNumber: true }, { title: words.lostRules }];
  return (
    <Table columns={columns} name="submissions">
      {rows.map((row) => (
        <Row
          head={
            <a href={submissionHref(row.id, language)}>
              <Name>{row.name}</Name>
            </a>
          }
        >
          <Cell name="number mark">
            <Mark mark={isGraded(row) ? row.report.mark : undefined} language={language} />
          </Cell>
          <Cell name="lost-rules">
            <Remark row={row} language={language} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function Remark({ row, language }: { row: Graded; language: Language }) {
  const words = PAGE_WORDS[language];
  if (!isGraded(row)) {
    return (
      <>
        <span class="blocked">⊘ {words.ungradable}</span>
        <span class="title">{printable(row.error)}</span>
      </>
    );
  }
  const failed = failedRules(row.report);
  const blocked = blockedRules(row.report, language);
  if (failed.length === 0 && blocked === undefined) return <span class="soft">{words.none}</span>;
  return (
    <>
      {failed.map((id) => (
        <>
          <code>{id}</code>{" "}
        </>
      ))}
      {blocked !== undefined && <span class="soft">{blocked}</span>}
    </>
  );
}
