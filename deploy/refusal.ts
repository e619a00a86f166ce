/** Why something is not done, for whoever ran the command: what, where, and what to do. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly hints: readonly string[];

  /** @param hints lines that follow, of which empty ones are left out */
  constructor(message: string, ...hints: readonly string[]) {
    super(message);
    this.hints = hints.filter((hint) => hint !== "");
  }
}
