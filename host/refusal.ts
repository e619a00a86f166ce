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

/** Ends the process with a command's exit code, or with 1 and its refusal. */
export async function exitWith(command: Promise<number>): Promise<never> {
  try {
    process.exit(await command);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`error: ${error.message}`);
    for (const hint of error.hints) console.error(`       ${hint}`);
    process.exit(1);
  }
}
