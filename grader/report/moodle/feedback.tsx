import renderToString from "preact-render-to-string";
import type { Report } from "../../rule.ts";
import type { Language } from "../../text.ts";
import { showMark } from "../table.ts";
import { WORDS } from "../words.ts";

/**
 * What a student reads in Moodle: the mark, and the rules that failed, as escaped HTML on one line. Moodle keeps comments
 * as HTML: https://github.com/moodle/moodle/blob/main/mod/assign/feedback/comments/locallib.php (`FORMAT_HTML`).
 */
export function feedbackHtml(report: Report, language: Language): string {
  const { results } = report;
  const words = WORDS[language];
  const failed = results.filter(({ verdict }) => verdict === "fail");
  const blocked = results.filter(({ verdict }) => verdict === "blocked").map(({ rule }) => rule.id);
  return renderToString(
    <>
      <p>
        <strong>{showMark(report, language)}</strong>
      </p>
      {failed.length === 0 && blocked.length === 0 && <p>{words.allPassed}</p>}
      {failed.map(({ rule, findings }) => (
        <>
          <p>
            <strong>{rule.title[language]}</strong>
          </p>
          <ul>
            {findings.map(({ seen, expected, fix }) => (
              <li>
                {words.seen} {seen[language]}
                <br />
                {words.expected} {expected[language]}
                <br />
                {words.fix} {fix[language]}
              </li>
            ))}
          </ul>
        </>
      ))}
      {blocked.length > 0 && (
        <p>
          {words.blockedRules} {blocked.join(", ")}
        </p>
      )}
    </>,
  );
}
