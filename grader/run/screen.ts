// What is shown while submissions are graded. On a terminal the last lines of stderr are live, below all that is printed.

import { createLogUpdate } from "log-update";

const isTerminal = process.stderr.isTTY === true;
const live = createLogUpdate(process.stderr);
let lines: readonly string[] = [];

function above(print: () => void): void {
  if (isTerminal) live.clear();
  print();
  if (isTerminal && lines.length > 0) live(lines.join("\n"));
}

/** Prints a result on stdout. */
export const print = (words: string) => above(() => console.log(words));

/** Prints on stderr what is not a result. */
export const note = (words: string) => above(() => console.error(words));

/** Replaces the live lines; on no terminal, nothing. */
export function show(now: readonly string[]): void {
  lines = now;
  if (!isTerminal) return;
  if (now.length > 0) live(now.join("\n"));
  else live.clear();
}

/** Prints on stderr, where there is no terminal, what the live lines show otherwise. */
export function noteWithoutTerminal(words: string): void {
  if (!isTerminal) note(words);
}
