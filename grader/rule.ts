import type { Stack } from "./stack.ts";
import type { Role, Submission } from "./submission.ts";
import type { Finding, Text } from "./text.ts";

/** What the rules look at, and what they found out for one another. */
export interface Case {
  readonly submission: Submission;
  readonly stack: Stack;
  /** The registry that stands in for Docker Hub, where another was named. */
  readonly registry: string | undefined;
  passed(id: string): boolean;
  /** The JSON that the backend answered, once it did. */
  backend?: unknown;
  /** What a first crash of each service showed. */
  readonly crashes: Partial<Record<Role, Promise<Finding[]>>>;
  /** What is to be known about how a rule was judged, by its id. */
  readonly notes: Record<string, Text>;
}

/** One rule of the subject. */
export interface Rule {
  readonly id: string;
  readonly points: number;
  readonly title: Text;
  /** The sentence of the subject that it comes from. */
  readonly source: string;
  /** Rules without which it cannot be judged: its points are lost with theirs. */
  readonly needs: readonly string[];
  /**
   * What is wrong; nothing where all is right.
   *
   * @throws {Skip} where this machine cannot tell
   * @throws {Moot} where another rule's failure decides
   */
  check(graded: Case): Promise<Finding[]>;
}

/** The rule cannot be judged on this machine; its points are left out of the mark. */
export class Skip extends Error {
  override readonly name = "Skip";
  constructor(readonly reason: Text) {
    super(reason.en);
  }
}

/** The rule cannot be judged since another one failed; its points are lost. */
export class Moot extends Error {
  override readonly name = "Moot";
  constructor(readonly rule: string) {
    super(rule);
  }
}

export interface Result {
  readonly rule: Rule;
  readonly verdict: "pass" | "fail" | "skipped";
  readonly findings: readonly Finding[];
  /** Why it was skipped; or, where it passed, what is to be known about how. */
  readonly reason?: Text;
  /** Whether its points count for the mark. */
  readonly counts: boolean;
}

/** Advice beyond the subject, without points. */
export interface Advice {
  readonly id: string;
  readonly good: boolean;
  readonly text: Text;
}

/** A graded folder. */
export interface Report {
  readonly folder: string;
  readonly results: readonly Result[];
  readonly advice: readonly Advice[];
  /** Out of 20, to one decimal. */
  readonly mark: number;
}
