import { expect, test } from "bun:test";
import { parse, stringify } from "./json.ts";

// Each expected text is what Flask's jsonify printed for the value.
test.each([
  ["é", '"\\u00e9"\n'],
  ["💡\u007f\u2028", '"\\ud83d\\udca1\\u007f\\u2028"\n'],
  ['"\\\n', '"\\"\\\\\\n"\n'],
  [[], "[]\n"],
  [{ a: {}, b: [1, { c: null }] }, '{\n  "a": {},\n  "b": [\n    1,\n    {\n      "c": null\n    }\n  ]\n}\n'],
])("%p is formatted as by Flask", (value, expected) => {
  expect(stringify(value)).toBe(expected);
});

test.each(["12345678901234567890", "1.0", "1e400", "-0", "0.1", "-0.0", "1E5"])(
  "the number %s stays as it was written",
  (text) => {
    expect(stringify(parse(`[${text}]`))).toBe(`[\n  ${text}\n]\n`);
  },
);

test.each(["", "{", "undefined", "NaN", "{'a': 1}", "01", "[1,]", "<html>"])("%p is not JSON", (text) => {
  expect(() => parse(text)).toThrow(SyntaxError);
});

test.each([500_000, 50_000])("%p nested arrays are refused before they fill the memory", (depth) => {
  expect(() => parse("[".repeat(depth) + "]".repeat(depth))).toThrow(SyntaxError);
});

test("a thousand nested arrays are accepted", () => {
  const text = "[".repeat(1000) + "]".repeat(1000);
  expect(JSON.stringify(parse(text))).toBe(text);
});

test("brackets in strings do not count as nesting", () => {
  const text = JSON.stringify('[{\\"'.repeat(100_000));
  expect(parse(text)).toBe(JSON.parse(text));
});
