import type { Claim } from "./claim.ts";
import type { Screen } from "./screen.ts";
import type { TourStack } from "./stack.ts";

/** What a step works with. */
export interface Scene {
  readonly screen: Screen;
  readonly stack: TourStack;
  /** A folder that is removed at the end. */
  readonly folder: string;
}

export interface Step {
  readonly title: string;
  /** One or two sentences on what is going to be seen. */
  readonly why: string;
  /** Shows it, and says what was seen. */
  show(scene: Scene): Promise<Claim[]>;
  /** Whether the tour ends where this fails. */
  readonly isNeeded?: boolean;
}
