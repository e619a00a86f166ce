import { cancelCommands } from "../host/command.ts";
import { exitCodeOf, noteInterrupt } from "../host/interrupt.ts";
import { exitWith } from "../host/refusal.ts";
import { removeTemporaryFolders } from "./temporary.ts";

export const say = (line: string): void => console.error(`==> ${line}`);

/** Runs a command to its end, which ends the process; or to the first Ctrl-C. It leaves no temporary folder behind. */
export async function runCommand(command: () => Promise<number>): Promise<never> {
  const interrupt = noteInterrupt(async () => {
    say("interrupted: a moment, please (once more ends at once)");
    await cancelCommands();
    await removeTemporaryFolders();
    process.exit(exitCodeOf(interrupt.signal ?? "SIGINT"));
  });
  return exitWith(command().finally(removeTemporaryFolders));
}
