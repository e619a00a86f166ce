// What both kinds of pages show.

import type { ComponentChildren } from "preact";
import { MAX_MARK } from "../../mark.ts";
import type { RuleInfo, Verdict } from "../../rule.ts";
import { type Language, printable } from "../../text.ts";
import { number, typeset } from "./format.ts";
import { PAGE_WORDS } from "./words.ts";

/** Signs that differ in shape too, as colours alone do not tell everybody. */
const SIGNS: Record<Verdict, string> = { pass: "✓", fail: "✗", blocked: "⊘", skipped: "–" };

export function VerdictWord({ verdict, language }: { verdict: Verdict; language: Language }) {
  return (
    <span class={verdict}>
      <span aria-hidden="true">{SIGNS[verdict]}</span> {PAGE_WORDS[language].verdicts[verdict]}
    </span>
  );
}

/** A rule's id, by which the documentation calls it, and its title. */
export const RuleName = ({ rule, language }: { rule: RuleInfo; language: Language }) => (
  <>
    <code>{rule.id}</code>
    <span class="title">{typeset(rule.title[language], language)}</span>
  </>
);

/** A student's name: isolated, so that one from right to left does not reorder what is around it. */
export const Name = ({ children }: { children: string }) => <bdi>{printable(children)}</bdi>;

/** A mark out of 20; a dash if there is none. */
export function Mark({ mark, language }: { mark: number | undefined; language: Language }) {
  if (mark === undefined) return <>–</>;
  return (
    <>
      {number(mark, language)}
      <span class="out-of">/{MAX_MARK}</span>
    </>
  );
}

/** One of the figures in large type. */
export function Figure({
  name,
  small = false,
  children,
}: {
  name: string;
  small?: boolean;
  children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={small ? "small" : undefined}>{children}</dd>
    </div>
  );
}
