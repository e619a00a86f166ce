import type { Stack } from "./stack.ts";
import type { Submission } from "./submission.ts";
import { type Finding, type Text, text } from "./text.ts";

/** A grading in progress: what the rules judge, and what they pass on to each other. */
export interface Grading {
  readonly submission: Submission;
  readonly stack: Stack;
  /** The registry to use instead of Docker Hub, if one was named. */
  readonly registry: string | undefined;
  /** The verdict of an earlier rule. */
  verdict(id: string): Verdict | undefined;
  /** The JSON value of the backend's response, once the rule `backend` has read it. */
  backendValue?: unknown;
  /** How a rule was judged, by rule id, if the reader should know. */
  readonly notes: Record<string, Text>;
}

/** What reports say of a rule. */
export interface RuleInfo {
  readonly id: string;
  readonly points: number;
  readonly title: Text;
  /** The sentence of the subject that it comes from. */
  readonly source: string;
}

/** One rule of the subject. */
export interface Rule extends RuleInfo {
  /** Ids of the rules that must pass before this one can be judged. */
  readonly needs: readonly string[];
  /**
   * Judges the submission.
   *
   * @returns what is wrong; nothing if the rule passes
   * @throws {Blocked} if the failure of another rule makes it impossible to judge
   * @throws {Skipped} if this machine cannot judge it
   */
  check(grading: Grading): Promise<Finding[]>;
}

/** Thrown if a rule cannot be judged because another one did not pass; its points are lost. */
export class Blocked extends Error {
  readonly verdict = "blocked";
  readonly reason: Text;
  constructor(ruleId: string) {
    super(`blocked by ${ruleId}`);
    this.reason = text(
      `blocked by the rule ${ruleId}, which did not pass`,
      `bloquée par la règle ${ruleId}, qui n'est pas validée`,
    );
  }
}

/** Thrown if a rule cannot be judged on this machine; its points are left out of the mark. */
export class Skipped extends Error {
  readonly verdict = "skipped";
  constructor(readonly reason: Text) {
    super(reason.en);
  }
}

export type Verdict = "pass" | "fail" | "blocked" | "skipped";

export interface Result {
  readonly rule: RuleInfo;
  readonly verdict: Verdict;
  /** How long it took to judge. */
  readonly seconds: number;
  readonly findings: readonly Finding[];
  /** Why the rule was blocked or skipped. */
  readonly reason?: Text;
}

/** Advice beyond the subject, without points. */
export interface Advice {
  readonly id: string;
  /** Whether the submission already does so. */
  readonly met: boolean;
  readonly text: Text;
}

/** What was found in one submission. */
export interface Report {
  readonly results: readonly Result[];
  readonly advice: readonly Advice[];
  /** Out of 20, to one decimal. */
  readonly mark: number;
}
