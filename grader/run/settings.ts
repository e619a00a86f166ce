import type { Language } from "../text.ts";

/** How submissions are graded, as the command line says. */
export interface Settings {
  /** The registry of the published images, instead of Docker Hub. */
  readonly registry?: string | undefined;
  /** The containers' runtime, instead of the engine's own. */
  readonly runtime?: string | undefined;
  /** Whether the stacks are left running. */
  readonly keep: boolean;
  /** How many submissions are graded at a time. */
  readonly jobs: number;
  /** The points of rules, by id, that differ from the usual ones. */
  readonly points: ReadonlyMap<string, number>;
  readonly language: Language;
}
