import type { Cast, Printed } from "./cast.ts";
import { MARK } from "./prompt.ts";

/** The longest time without output while a command runs, in seconds. */
export const MAX_WAIT_S = 1;
/** The longest time at the prompt, for reading what a command has printed, in seconds. */
export const MAX_PAUSE_S = 3;
/** A command that prints its progress for longer is sped up to this, in seconds. */
export const MAX_COMMAND_S = 6;
/** Lines that are printed at once come one after the other, in seconds. */
const LINE_S = 0.06;
/** A table stays for so long before lines that follow it, in seconds. */
const TABLE_S = 3;
/** What is printed within this many seconds is shown at once. */
const FRAME_S = 0.03;

/** Some output, and the seconds before it. */
interface Step {
  after: number;
  text: string;
}

/** Cuts the waits of a recording, and the marks of its prompts. It ends with the last command, at the prompt. */
export function trim(cast: Cast): Cast {
  const steps = merge(stepsOf(cast.printed));
  const prompts = steps.flatMap(({ text }, index) => (MARK.test(text) ? [index] : []));
  for (const [number, prompt] of prompts.entries()) {
    const next = prompts[number + 1];
    if (next !== undefined) shorten(steps.slice(prompt + 1, next + 1));
  }
  return { ...cast, printed: printedOf(steps.slice(prompts[0], (prompts.at(-1) ?? 0) + 1).flatMap(lineByLine)) };
}

/** Shortens the steps from one prompt to the next: the first one follows the pause, the others are typing and output. */
function shorten([pause, ...others]: readonly Step[]): void {
  if (pause !== undefined) pause.after = Math.min(pause.after, MAX_PAUSE_S);
  for (const step of others) step.after = Math.min(step.after, MAX_WAIT_S);
  const enter = others.findIndex(({ text }) => text.includes("\n"));
  const output = others.slice(enter);
  const seconds = output.reduce((sum, { after }) => sum + after, 0);
  if (seconds > MAX_COMMAND_S) for (const step of output) step.after *= MAX_COMMAND_S / seconds;
}

/** Begins what is drawn over earlier lines, such as a progress bar; a program may say where that ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal gets
const REDRAWN = /^[\s\S]*\x1b\[\?2026l|^[\s\S]*\x1b\[\d*[A-HJ][\s\S]*/;

/** What is redrawn stays together. */
function lineByLine({ after, text }: Step): Step[] {
  const redrawn = REDRAWN.exec(text)?.[0] ?? "";
  const [first = "", ...others] = text.slice(redrawn.length).split(/(?<=\n)/);
  let isTableEnd = first.startsWith("└");
  const steps = others.map((line) => {
    const step = { after: isTableEnd ? TABLE_S : LINE_S, text: line };
    isTableEnd = line.startsWith("└");
    return step;
  });
  return [{ after, text: redrawn + first }, ...steps];
}

const stepsOf = (printed: readonly Printed[]): Step[] =>
  printed.map(({ at, text }, index) => ({ after: at - (printed[index - 1]?.at ?? 0), text }));

/** Joins what is printed at almost the same time. What follows a prompt stays apart from it. */
function merge(steps: readonly Step[]): Step[] {
  const merged: Step[] = [];
  for (const { after, text } of steps) {
    const last = merged.at(-1);
    if (last !== undefined && after < FRAME_S && !MARK.test(last.text)) last.text += text;
    else merged.push({ after, text });
  }
  return merged;
}

function printedOf(steps: readonly Step[]): Printed[] {
  let at = 0;
  return steps.map(({ after, text }, index) => {
    if (index > 0) at += after;
    return { at, text: text.replace(MARK, "") };
  });
}
