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

/** Shows what a terminal would obey: names and messages may come from a stranger. */
export const printable = (text: string): string =>
  text.replace(/[^\P{C}\t\n]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** Ends the process with a command's exit code, or with 1 and its refusal. */
export async function exitWith(command: Promise<number>): Promise<never> {
  try {
    process.exit(await command);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`error: ${printable(error.message)}`);
    for (const hint of error.hints) console.error(`       ${printable(hint)}`);
    process.exit(1);
  }
}
