import type { Stack } from "./stack.ts";
import type { Finding, Text } from "./text.ts";

/** Findings without the names that only this grading has: of the Compose project, and of the copy. They help no student. */
export function withoutOwnNames(findings: readonly Finding[], { project, submission }: Stack): Finding[] {
  const names = new RegExp(`${submission.folder}/?|${project}[-_/]?`, "g");
  const clean = ({ en, fr }: Text): Text => ({ en: en.replace(names, ""), fr: fr.replace(names, "") });
  return findings.map(({ seen, expected, fix }) => ({ seen: clean(seen), expected: clean(expected), fix: clean(fix) }));
}
