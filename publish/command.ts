import { cancelCommands } from "../host/command.ts";
import { exitCodeOf, noteInterrupt } from "../host/interrupt.ts";
import { exitWith } from "../host/refusal.ts";
import { removeTemporaryFolders } from "./temporary.ts";

export const say = (line: string): void => console.error(`==> ${line}`);

const undoing = new Set<() => Promise<void>>();

/** Does something that a Ctrl-C must not leave half done: then, as on an error, it is undone. */
export async function orUndo<T>(action: () => Promise<T>, undo: () => Promise<void>): Promise<T> {
  undoing.add(undo);
  try {
    return await action();
  } catch (error) {
    await undo();
    throw error;
  } finally {
    undoing.delete(undo);
  }
}

/** Runs a command to its end, which ends the process; or to the first Ctrl-C. It leaves no temporary folder behind. */
export async function runCommand(command: () => Promise<number>): Promise<never> {
  const interrupt = noteInterrupt(async () => {
    say("interrupted: a moment, please (once more ends at once)");
    await cancelCommands();
    for (const undo of undoing) await undo().catch((error: Error) => say(error.message));
    await removeTemporaryFolders();
    process.exit(exitCodeOf(interrupt.signal ?? "SIGINT"));
  });
  return exitWith(command().finally(removeTemporaryFolders));
}
