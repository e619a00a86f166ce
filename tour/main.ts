// A guided tour of the two services, on a stack of its own.

import { mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { cancelCommands } from "../host/command.ts";
import { exitWith, Refusal } from "../host/refusal.ts";
import { type Claim, conclusion, exitCodeOf } from "./claim.ts";
import { Keys } from "./keys.ts";
import { acquire } from "./lock.ts";
import { Screen, wrap } from "./screen.ts";
import { TourStack } from "./stack.ts";
import { walk } from "./walk.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Why the tour was left: an exit code as shells have it, or 0. */
const left = Promise.withResolvers<number>();
let isLeaving = false;

function leave(code: number): void {
  // Once more: what was begun to be removed is removed.
  if (isLeaving) process.stderr.write("still removing what the tour has made\n");
  isLeaving = true;
  left.resolve(code);
}

for (const signal of SIGNALS) process.on(signal, () => leave(128 + constants.signals[signal]));
// What reads it, or the terminal, has gone.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", () => {
    isLeaving = true;
    left.resolve(128 + constants.signals.SIGPIPE);
  });

const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true && process.env.TERM !== "dumb";
const screen = new Screen(isTerminal, isTerminal && !process.env.NO_COLOR);
const keys = new Keys((how) => leave(how === "quit" ? 0 : 128 + constants.signals.SIGINT));

/** Returns the exit code. */
async function tour(): Promise<number> {
  const stack = await TourStack.prepare();
  const release = await acquire(stack.name);
  const folder = mkdtempSync(join(tmpdir(), `${stack.name}-`));
  const claims: Claim[] = [];
  if (isTerminal) keys.start();
  try {
    // One that was killed may have left something.
    await stack.remove(false);
    const next = () => (isTerminal ? keys.next() : Promise.resolve());
    const walked = isLeaving ? undefined : walk({ screen, stack, folder }, claims, next).then(() => undefined);
    const code = await Promise.race([walked ?? left.promise, left.promise]).finally(() => end(stack));
    process.stdout.write(`${wrap(conclusion(claims, code !== undefined))}\n`);
    return exitCodeOf(claims, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    release();
    if (isTerminal) keys.stop();
  }
}

/** Ends all commands, and removes all that they have made. */
async function end(stack: TourStack): Promise<void> {
  const wasLeft = isLeaving;
  isLeaving = true;
  screen.close();
  process.stdout.write("\nremoving the tour's containers, network and images\n");
  await cancelCommands();
  try {
    await stack.remove(wasLeft);
  } catch (error) {
    throw new Refusal((error as Error).message, "Once the engine answers, make demo removes it first.");
  }
}

await exitWith(tour());
