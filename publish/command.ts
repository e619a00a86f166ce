import { rm } from "node:fs/promises";
import { cancelCommands } from "../host/command.ts";
import { exitCodeOf, noteInterrupt } from "../host/interrupt.ts";
import { exitWith } from "../host/refusal.ts";
import { temporaryFolders } from "./checkout.ts";

export const say = (line: string): void => console.error(`==> ${line}`);

/** Runs a command to its end, which ends the process; or to the first Ctrl-C, and leaves nothing behind then. */
export async function runCommand(command: () => Promise<number>): Promise<never> {
  const interrupt = noteInterrupt(async () => {
    say("interrupted: a moment, please (once more ends at once)");
    await cancelCommands();
    for (const folder of temporaryFolders) await rm(folder, { recursive: true, force: true });
    process.exit(exitCodeOf(interrupt.signal ?? "SIGINT"));
  });
  return exitWith(command());
}
