import type { Graded } from "../../graded.ts";
import type { Verdict } from "../../rule.ts";
import type { Language } from "../../text.ts";
import { Cell, Row, Table } from "./data-table.tsx";
import { number } from "./format.ts";
import { RuleName } from "./parts.tsx";
import { countVerdicts, type RuleCount } from "./statistics.ts";
import { PAGE_WORDS } from "./words.ts";

const VERDICTS: readonly Verdict[] = ["pass", "fail", "blocked", "skipped"];

/** How often each rule had each verdict, as a bar and as numbers. */
export function RulesTable({ rows, language }: { rows: readonly Graded[]; language: Language }) {
  const words = PAGE_WORDS[language];
  const columns = [
    { title: words.rule },
    { title: words.share },
    ...VERDICTS.map((verdict) => ({ title: words.verdicts[verdict], isNumber: true })),
  ];
  return (
    <Table columns={columns} name="rules">
      {countVerdicts(rows).map(({ rule, counts }) => (
        <Row head={<RuleName rule={rule} language={language} />}>
          <Cell name="share">
            <Bar counts={counts} />
          </Cell>
          {VERDICTS.map((verdict) => (
            <Cell name={`number ${counts[verdict] === 0 ? "soft zero" : verdict}`} label={words.verdicts[verdict]}>
              {number(counts[verdict], language)}
            </Cell>
          ))}
        </Row>
      ))}
    </Table>
  );
}

/** The counts as parts of a bar; hidden from screen readers, which read the numbers beside it. */
function Bar({ counts }: Pick<RuleCount, "counts">) {
  const total = VERDICTS.reduce((sum, verdict) => sum + counts[verdict], 0);
  let end = 0;
  return (
    <svg viewBox={`0 0 ${total} 1`} preserveAspectRatio="none" aria-hidden="true">
      {VERDICTS.map((verdict) => {
        const start = end;
        end += counts[verdict];
        return <rect class={verdict} x={start} y="0" width={counts[verdict]} height="1" fill="currentColor" />;
      })}
    </svg>
  );
}
