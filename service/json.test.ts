import { expect, test } from "bun:test";
import { parse, stringify } from "./json.ts";

// Each right-hand side is what Flask's jsonify wrote for the value.
test.each([
  ["é", '"\\u00e9"\n'],
  ["💡\u007f\u2028", '"\\ud83d\\udca1\\u007f\\u2028"\n'],
  ['"\\\n', '"\\"\\\\\\n"\n'],
  [[], "[]\n"],
  [{ a: {}, b: [1, { c: null }] }, '{\n  "a": {},\n  "b": [\n    1,\n    {\n      "c": null\n    }\n  ]\n}\n'],
])("%p is laid out as Flask does", (value, expected) => {
  expect(stringify(value)).toBe(expected);
});

test.each(["12345678901234567890", "1.0", "1e400", "-0", "0.1", "-0.0", "1E5"])(
  "the number %s passes unchanged",
  (text) => {
    expect(stringify(parse(`[${text}]`))).toBe(`[\n  ${text}\n]\n`);
  },
);

test.each(["", "{", "undefined", "NaN", "{'a': 1}", "01", "[1,]", "<html>"])("%p is not JSON", (text) => {
  expect(() => parse(text)).toThrow(SyntaxError);
});

test.each([500_000, 50_000])("%p arrays in one another are refused before they fill the memory", (depth) => {
  expect(() => parse("[".repeat(depth) + "]".repeat(depth))).toThrow(SyntaxError);
});

test("what is nested as deep as people nest it passes", () => {
  const text = "[".repeat(1000) + "]".repeat(1000);
  expect(JSON.stringify(parse(text))).toBe(text);
});

test("brackets inside of strings are no nesting", () => {
  const text = JSON.stringify('[{\\"'.repeat(100_000));
  expect(parse(text)).toBe(JSON.parse(text));
});
