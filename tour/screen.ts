// What the viewer sees. On a terminal each step is a page, and the last lines are live; elsewhere all is plain text.

import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import { printable } from "../host/refusal.ts";
import type { Claim } from "./claim.ts";

/** Longer lines are hard to read. */
const MAX_COLUMNS = 80;
const PERIOD_MS = 100;

type Format = Parameters<typeof styleText>[0];

export class Screen {
  readonly #live = createLogUpdate(process.stdout);
  /** What changes, and the keys. */
  #state = "";
  #hint = "";
  #closed = false;

  /**
   * @param isTerminal whether somebody looks at a terminal and has keys
   * @param hasColours whether it may be coloured
   */
  constructor(
    readonly isTerminal: boolean,
    readonly hasColours: boolean,
  ) {}

  /** Begins a step. What was on a terminal before goes up, and can be scrolled back to. */
  page(title: string, why: string): void {
    if (this.isTerminal && !this.#closed) {
      this.#live.clear();
      process.stdout.write(`${"\n".repeat(process.stdout.rows ?? 24)}\u001b[H\u001b[J`);
    }
    this.print(`${this.isTerminal ? "" : "\n"}${this.#paint(["bold", "cyan"], wrap(title))}\n${wrap(why)}\n`);
  }

  /** A command that the viewer could type, and what it printed. */
  command(line: string): void {
    const [first = "", ...others] = line.split("\n");
    this.print([`${this.#paint("green", "$")} ${this.#paint("bold", first)}`, ...others].join("\n"));
  }

  output(text: string): void {
    const lines = printable(text.replaceAll("\r\n", "\n").trimEnd());
    if (lines !== "") this.print(lines);
  }

  claims(claims: readonly Claim[]): void {
    const lines = claims.map(({ holds, text }) => {
      const mark = this.#paint(holds ? "green" : "red", holds ? "✓" : "✗");
      return `${mark} ${wrap(printable(text), 2).replaceAll("\n", "\n  ")}`;
    });
    this.print(`\n${lines.join("\n")}`);
  }

  /** Prints lines above what is live. */
  print(text: string): void {
    if (this.#closed) return;
    if (this.isTerminal) this.#live.clear();
    process.stdout.write(`${text}\n`);
    this.#draw();
  }

  /** Shows something that changes; where there is no terminal, `settle` shows its last state. */
  live(text: string): void {
    this.#state = text;
    this.#draw();
  }

  /** Leaves the last state of what has changed. */
  settle(): void {
    const text = this.#state;
    this.#state = "";
    if (text !== "") this.print(text);
  }

  /** Says which keys there are. */
  hint(text: string): void {
    this.#hint = this.isTerminal ? text : "";
    this.#draw();
  }

  /**
   * Shows how far something is that takes long, and for how long it has been at that. Where there is no terminal, each
   * stage is a line.
   *
   * @param action is given a function that names the stage
   */
  async progress<T>(first: string, action: (stage: (name: string) => void) => Promise<T>): Promise<T> {
    const start = performance.now();
    let [stage, shown] = [first, ""];
    const show = () => {
      if (this.isTerminal) this.live(`  ${((performance.now() - start) / 1000).toFixed(0).padStart(3)} s  ${stage}`);
      else if (stage !== shown) this.print(`  ${stage}`);
      shown = stage;
    };
    show();
    const timer = setInterval(show, PERIOD_MS);
    try {
      return await action((name) => {
        stage = printable(name);
        show();
      });
    } finally {
      clearInterval(timer);
      this.live("");
    }
  }

  /** Lets go of the terminal. Nothing is shown from then on but by `close`'s caller. */
  close(): void {
    this.settle();
    this.#hint = "";
    this.#draw();
    // It shows the cursor again.
    if (this.isTerminal) this.#live.done();
    this.#closed = true;
  }

  #draw(): void {
    if (!this.isTerminal || this.#closed) return;
    const lines = [this.#state, this.#hint === "" ? "" : `\n${this.#paint("dim", this.#hint)}`].filter(Boolean);
    if (lines.length > 0) this.#live(lines.join("\n"));
    else this.#live.clear();
  }

  #paint = (format: Format, text: string) =>
    this.hasColours ? styleText(format, text, { validateStream: false }) : text;
}

/** How many columns a line may have. */
export const columns = (): number => Math.max(20, Math.min(process.stdout.columns || MAX_COLUMNS, MAX_COLUMNS));

/** @param indent columns that are taken already */
export const wrap = (text: string, indent = 0): string => Bun.wrapAnsi(text, columns() - indent);
