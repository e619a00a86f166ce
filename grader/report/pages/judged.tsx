import type { Advice, Report, Result } from "../../rule.ts";
import type { Language } from "../../text.ts";
import { Cell, Row, Table } from "./data-table.tsx";
import { number, typeset } from "./format.ts";
import { RuleName, VerdictWord } from "./parts.tsx";
import { PAGE_WORDS } from "./words.ts";

/** What was judged of a submission: what to mend first, then every rule, and advice. */
export function Judged({ report, language }: { report: Report; language: Language }) {
  const words = PAGE_WORDS[language];
  const failed = report.results.filter(({ findings }) => findings.length > 0);
  const notJudged = report.results.filter(({ reason }) => reason !== undefined);
  return (
    <>
      {failed.length > 0 && (
        <section>
          <h2>{words.toMend}</h2>
          {failed.map((result) => (
            <Failure result={result} language={language} />
          ))}
        </section>
      )}
      <h2>{words.rules}</h2>
      <Rules results={report.results} language={language} />
      {notJudged.length > 0 && (
        <>
          <h2>{words.notJudged}</h2>
          <ul class="plain">
            {notJudged.map(({ rule, reason }) => (
              <li>
                <code>{rule.id}</code>
                <span>{typeset(reason?.[language] ?? "", language)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      {report.advice.length > 0 && <Tips advice={report.advice} language={language} />}
    </>
  );
}

function Failure({ result: { rule, findings }, language }: { result: Result; language: Language }) {
  const words = PAGE_WORDS[language];
  return (
    <article class="finding">
      <h3>
        <span class="fail">✗</span> {typeset(rule.title[language], language)}
      </h3>
      <blockquote>
        {words.subject} <span lang="fr">« {rule.source} »</span>
      </blockquote>
      {findings.map(({ seen, expected, fix }) => (
        <dl>
          <dt>{words.seen}</dt>
          <dd>{seen[language]}</dd>
          <dt>{words.expected}</dt>
          <dd>{expected[language]}</dd>
          <dt>{words.fix}</dt>
          <dd>{fix[language]}</dd>
        </dl>
      ))}
    </article>
  );
}

function Rules({ results, language }: { results: readonly Result[]; language: Language }) {
  const words = PAGE_WORDS[language];
  const columns = [
    { title: words.rule },
    { title: words.verdict },
    { title: words.points, isNumber: true },
    { title: words.time, isNumber: true },
  ];
  return (
    <Table columns={columns} name="results">
      {results.map(({ rule, verdict, seconds }) => (
        <Row head={<RuleName rule={rule} language={language} />}>
          <Cell name="verdict">
            <VerdictWord verdict={verdict} language={language} />
          </Cell>
          <Cell name="number" label={words.points}>
            {verdict === "skipped" ? "–" : number(verdict === "pass" ? rule.points : 0, language)}
            <span class="soft">/{number(rule.points, language)}</span>
          </Cell>
          <Cell name="number soft" label={words.time}>
            {words.seconds(number(seconds, language))}
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

function Tips({ advice, language }: { advice: readonly Advice[]; language: Language }) {
  const words = PAGE_WORDS[language];
  return (
    <>
      <h2>{words.advice}</h2>
      <ul class="plain">
        {advice.map(({ met, text }) => (
          <li>
            {met ? <span class="pass">✓ {words.met}</span> : <span class="blocked">○ {words.unmet}</span>}
            <span>{typeset(text[language], language)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
