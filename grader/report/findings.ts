import type { Finding, Language } from "../text.ts";
import { WORDS } from "./words.ts";

/** What was found wrong, as plain text of several lines. */
export function findingsText(findings: readonly Finding[], language: Language): string {
  const words = WORDS[language];
  return findings
    .map(({ seen, expected, fix }) =>
      [
        `${words.seen} ${seen[language]}`,
        `${words.expected} ${expected[language]}`,
        `${words.fix} ${fix[language]}`,
      ].join("\n"),
    )
    .join("\n\n");
}
