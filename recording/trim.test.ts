import { expect, test } from "bun:test";
import { MAX_COMMAND_S, MAX_PAUSE_S, MAX_WAIT_S, trim } from "./trim.ts";

/** A recording; each output comes so many seconds after the one before. */
function recording(...steps: readonly (readonly [number, string])[]) {
  let at = 0;
  const printed = steps.map(([after, text]) => {
    at += after;
    return { at, text };
  });
  return { columns: 80, rows: 24, recorded: 0, printed };
}

const prompt = "\x1b]133;D;0\x07$ ";
const trimmed = (...steps: readonly (readonly [number, string])[]) =>
  trim(recording(...steps)).printed.map(({ at, text }) => [Number(at.toFixed(3)), text]);

test("waits and pauses are cut, and what follows the last prompt", () => {
  expect(trimmed([3, prompt], [60, "a"], [0.1, "\r\n"], [60, prompt], [1, "exit\r\n"])).toEqual([
    [0, "$ "],
    [MAX_PAUSE_S, "a"],
    [MAX_PAUSE_S + 0.1, "\r\n"],
    [MAX_PAUSE_S + 0.1 + MAX_WAIT_S, "$ "],
  ]);
});

test("a command that goes on printing is sped up, its typing is not", () => {
  const ticks = Array.from({ length: 40 }, (_, n) => [1, `\r${n} s`] as const);
  const times = trimmed([0, prompt], [1, "a"], [0.5, "b"], [0.1, "\r\n"], ...ticks, [1, prompt]).map(([at]) => at);
  expect(times.slice(0, 3)).toEqual([0, 1, 1.5]);
  expect(Number(times.at(-1)) - 1.5).toBeCloseTo(MAX_COMMAND_S, 2);
});

test("lines come one after the other, unless they are drawn over others", () => {
  expect(trimmed([0, prompt], [1, "\r\n"], [1, "1\r\n2\r\n"], [1, `\x1b[2A3\r\n4\r\n${prompt}`])).toEqual([
    [0, "$ "],
    [1, "\r\n"],
    [2, "1\r\n"],
    [2.06, "2\r\n"],
    [3.06, "\x1b[2A3\r\n4\r\n$ "],
  ]);
});
