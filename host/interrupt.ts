/** Whether the user wants it to end. */
export interface Interrupt {
  readonly signal: "SIGINT" | "SIGTERM" | undefined;
}

/** The exit code that shells use for a signal. */
export const exitCodeOf = (signal: "SIGINT" | "SIGTERM"): number => (signal === "SIGINT" ? 130 : 143);

/**
 * Notes the first Ctrl-C or SIGTERM instead of ending; a second one ends the process at once.
 *
 * @param onFirst is called for the first one
 */
export function noteInterrupt(onFirst: () => void): Interrupt {
  const interrupt: { signal: Interrupt["signal"] } = { signal: undefined };
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (interrupt.signal !== undefined) process.exit(exitCodeOf(signal));
      interrupt.signal = signal;
      onFirst();
    });
  return interrupt;
}
