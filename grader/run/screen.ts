// What is shown while submissions are graded. On a terminal the last lines of stderr are live, below all that is printed.

import { createLogUpdate } from "log-update";
import { WORDS } from "../report/words.ts";
import type { Language } from "../text.ts";

const isTerminal = process.stderr.isTTY === true;
const live = createLogUpdate(process.stderr);
let lines: readonly string[] = [];
let language: Language = "en";

/** Sets the language of what is shown from now on. Errors are in English. */
export function speak(chosen: Language): void {
  language = chosen;
}

/** The words to show. */
export const words = () => WORDS[language];

function above(print: () => void): void {
  if (isTerminal) live.clear();
  print();
  if (isTerminal && lines.length > 0) live(lines.join("\n"));
}

/** Prints a result on stdout. */
export const print = (line: string) => above(() => console.log(line));

/** Prints on stderr what is not a result. */
export const note = (line: string) => above(() => console.error(line));

/** Replaces the live lines; on no terminal, nothing. */
export function show(now: readonly string[]): void {
  lines = now;
  if (!isTerminal) return;
  if (now.length > 0) live(now.join("\n"));
  else live.clear();
}

/** Prints on stderr, where there is no terminal, what the live lines show otherwise. */
export function noteWithoutTerminal(line: string): void {
  if (!isTerminal) note(line);
}
