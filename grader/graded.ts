import type { Report } from "./rule.ts";

/** Who handed a submission in. */
export interface Student {
  /** Names the submission's folder in the results; unique in a class, also where upper and lower case are the same. */
  readonly id: string;
  /** As it is shown: the student's name in a class, else what the command line says. */
  readonly name: string;
  /** Moodle's number of the participant, if the submission comes from an export of Moodle. */
  readonly participant?: string;
}

interface Facts extends Student {
  /** When it was graded, as an ISO 8601 date; when it was listed, if it was not graded yet. */
  readonly date: string;
  /** How long that took. */
  readonly seconds: number;
}

export interface WithReport extends Facts {
  readonly report: Report;
  /** Of all names and bytes that were graded: another one is another submission. */
  readonly digest: string;
}

export interface WithError extends Facts {
  /** Why it could not be graded, through no fault of the student's. */
  readonly error: string;
}

/** One submission in the reports, graded or not. It can be written as JSON and read again. */
export type Graded = WithReport | WithError;

export const isGraded = (one: Graded): one is WithReport => "report" in one;
