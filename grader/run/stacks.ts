// The stacks of all gradings that are going on, so that none is left behind, however they end.

import { cancelCommands, terminateCommands } from "../../host/command.ts";
import { removeReach } from "../reach.ts";
import type { Stack } from "../stack.ts";
import { removeWorkFolders } from "../work-folder.ts";
import { note, words } from "./screen.ts";

const stacks = new Set<Stack>();
/** Those of gradings that have ended, which could not be removed because the engine was away. */
const abandoned = new Set<Stack>();

const warn = (error: Error) => note(`warning: ${error.message}`);

const sayNotRemoved = ({ project, removalCommand }: Stack) => note(words().notRemoved(project, removalCommand));

export const track = (stack: Stack) => stacks.add(stack);

/** Leaves a stack to the user. */
export function keep(stack: Stack): void {
  sayNotRemoved(stack);
  stacks.delete(stack);
}

/** Removes a stack, now or later. */
export async function removeStack(stack: Stack, how: Parameters<Stack["remove"]>[0] = {}): Promise<void> {
  try {
    await stack.remove(how);
    stacks.delete(stack);
    abandoned.delete(stack);
  } catch (error) {
    abandoned.add(stack);
    warn(error as Error);
  }
}

/** Tries again to remove what could not be removed. */
export async function removeAbandoned(): Promise<void> {
  for (const stack of abandoned) await removeStack(stack);
}

export const nothingIsLeft = () => stacks.size === 0;

/** Says how to remove what is left in the end. */
export function sayWhatIsLeft(): void {
  for (const stack of stacks) sayNotRemoved(stack);
}

/** Ends everything that is going on, and removes what it has made. */
export async function stopEverything(): Promise<void> {
  await cancelCommands();
  await Promise.all([...stacks].map((stack) => removeStack(stack, { interrupted: true })));
  await removeReach().catch(warn);
  removeWorkFolders();
}

/** Ends everything that is going on, and leaves the stacks. */
export function leaveEverything(): void {
  terminateCommands();
  removeWorkFolders(new Set([...stacks].map(({ submission }) => submission.work)));
  sayWhatIsLeft();
}
