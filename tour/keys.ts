// The viewer's keys.

import { emitKeypressEvents, type Key } from "node:readline";

export type Leave = "quit" | "interrupt";

export class Keys {
  #wanted: (() => void) | undefined;

  /** @param onLeave called for every key that leaves */
  constructor(readonly onLeave: (how: Leave) => void) {}

  /** Takes the keyboard: a key counts at once, and none is shown. */
  start(): void {
    emitKeypressEvents(process.stdin);
    process.stdin.setRawMode(true).on("keypress", this.#onKey).resume();
  }

  /** Gives it back. */
  stop(): void {
    process.stdin.off("keypress", this.#onKey).pause();
    // The terminal may be gone.
    try {
      process.stdin.setRawMode(false);
    } catch {}
  }

  /** Waits for the key to go on; one that was pressed before does not count. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wanted = resolve;
    });
  }

  #onKey = (_: string | undefined, { name, ctrl }: Key) => {
    if (ctrl && name === "c") this.onLeave("interrupt");
    else if (name === "q" || name === "escape") this.onLeave("quit");
    else if (name === "return" || name === "enter" || name === "space") this.#wanted?.();
  };
}
