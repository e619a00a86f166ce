import { type IBufferCell, type IBufferLine, Terminal } from "@xterm/headless";
import type { Cast } from "./cast.ts";

/** Characters of one colour, next to each other, from a column on. */
export interface Run {
  readonly column: number;
  readonly text: string;
  /** Number of an ANSI colour from 0 to 15. */
  readonly colour: number | undefined;
  readonly bold: boolean;
}

/** The terminal at a time in seconds. */
export interface Screen {
  readonly at: number;
  /** Lines that have left it at the top. */
  readonly scrolled: number;
  /** All lines, those that have left it included. */
  readonly lines: readonly (readonly Run[])[];
}

/** Plays a recording to a terminal, and looks at it after each output. */
export async function play({ columns, rows, printed }: Cast): Promise<Screen[]> {
  const terminal = new Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true });
  const cell = terminal.buffer.active.getNullCell();
  const screens: Screen[] = [];
  for (const { at, text } of printed) {
    await new Promise<void>((resolve) => terminal.write(text, resolve));
    const { active } = terminal.buffer;
    // Lines that have left the screen do not change.
    const { scrolled = 0, lines = [] } = screens.at(-1) ?? {};
    const changed = Array.from({ length: active.length - scrolled }, (_, y) =>
      runsOf(active.getLine(scrolled + y), cell),
    );
    screens.push({ at, scrolled: active.baseY, lines: [...lines.slice(0, scrolled), ...changed] });
  }
  terminal.dispose();
  return screens;
}

/** What can be read on a screen, a line each, without spaces at their ends. */
export const textOf = ({ lines }: Screen): string[] =>
  lines.map((runs) => runs.reduce((line, { column, text }) => line.padEnd(column) + text, ""));

function runsOf(line: IBufferLine | undefined, reused: IBufferCell): Run[] {
  const runs: { column: number; text: string; colour: number | undefined; bold: boolean }[] = [];
  // No character here is wider than a column.
  const end = line?.translateToString(true).length ?? 0;
  for (let column = 0; column < end; column++) {
    const cell = line?.getCell(column, reused);
    if (cell === undefined) continue;
    const { text, colour, bold } = { text: cell.getChars() || " ", ...styleOf(cell) };
    const last = runs.at(-1);
    if (last !== undefined && last.colour === colour && last.bold === bold) last.text += text;
    else runs.push({ column, text, colour, bold });
  }
  return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== "");
}

const styleOf = (cell: IBufferCell) => ({
  colour: cell.isFgPalette() ? cell.getFgColor() : undefined,
  bold: cell.isBold() !== 0,
});
