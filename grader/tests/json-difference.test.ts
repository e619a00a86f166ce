// What a student reads of a response that is not the subject's.

import { expect, test } from "bun:test";
import { otherResponse } from "../rules/responses.ts";

const EXPECTED = { body: "Je suis une réponse du backend" };
const JSON_TYPE = "application/json";

const findingOf = (body: string, value: unknown = EXPECTED, status = 200) =>
  otherResponse("backend", { status, contentType: JSON_TYPE, body }, value);

test("both sides have one notation, and the advice names the word", () => {
  const { seen, expected, fix } = findingOf(String.raw`{ "body": "Je suis une r\u00e9ponse de backend" }`);
  expect(seen.fr).toBe('200 application/json {"body":"Je suis une réponse de backend"}');
  expect(expected.fr).toBe('200, application/json, {"body":"Je suis une réponse du backend"}');
  expect(fix.fr).toBe(`"body" contient "de" au lieu de "du". Vérifiez ce qu'affiche curl -i http://127.0.0.1:8001/`);
  expect(fix.en).toStartWith('"body" has "de" instead of "du". Check');
});

test("the keys have one order", () => {
  const value = { return: EXPECTED, status: "[SUCESS]" };
  const { seen, fix } = findingOf(JSON.stringify({ status: "[SUCCESS]", return: EXPECTED }), value);
  expect(seen.en).toEndWith(JSON.stringify({ return: EXPECTED, status: "[SUCCESS]" }));
  expect(fix.en).toStartWith('"status" has "[SUCCESS]" instead of "[SUCESS]".');
});

test.each([
  ["a word too few", { body: "Je suis réponse du backend" }, '"body" has "" instead of "une ".'],
  ["a word too many", { body: "Je suis une réponse du bon backend" }, '"body" has "bon " instead of "".'],
  ["another type", { body: 5 }, '"body" has 5 instead of "Je suis une réponse du backend".'],
  ["a list", [EXPECTED], `The response has [${JSON.stringify(EXPECTED)}] instead of ${JSON.stringify(EXPECTED)}.`],
  ["null", null, `The response has null instead of ${JSON.stringify(EXPECTED)}.`],
  ["another key", { message: EXPECTED.body }, 'The key "body" is missing.'],
  ["a key too many", { ...EXPECTED, status: "ok" }, 'The key "status" is too many.'],
  ["two spaces", { body: "Je suis une  réponse du backend" }, String.raw`has "\u0020\u0020" instead of "\u0020".`],
  ["a space at the end", { body: `${EXPECTED.body} ` }, String.raw`has "\u0020" instead of "".`],
  ["a line end", { body: `${EXPECTED.body}\n` }, String.raw`has "\n" instead of "".`],
  ["a composed accent", { body: EXPECTED.body.normalize("NFD") }, String.raw`has "re\u0301ponse" instead of "r\u00e9`],
  ["no width", { body: `${EXPECTED.body}\u200b` }, String.raw`has "backend\u200b" instead of "backend".`],
])("the advice names %s", (_, value, hint) => {
  expect(findingOf(JSON.stringify(value)).fix.en).toContain(hint);
});

test("of a long body the difference is shown", () => {
  const long = (word: string) => ({ body: `${"a ".repeat(400)}${word}${" b".repeat(400)}` });
  const { seen, expected, fix } = findingOf(JSON.stringify(long("de")), long("du"));
  expect(seen.en).toMatch(/json …( ?a)+ de( b)+ ?…$/);
  expect(expected.en).toMatch(/json, …( ?a)+ du( b)+ ?…$/);
  expect(fix.en).toStartWith('"body" has "de" instead of "du".');
  expect(seen.en.length).toBeLessThan(200);
  const word = (end: string) => ({ body: "x".repeat(400) + end });
  expect(findingOf(JSON.stringify(word("a")), word("b")).fix.en).toMatch(/has …x{60}a" instead of …x{60}b"\./);
});

test("another status is named; what is not JSON is shown as it is", () => {
  expect(findingOf(JSON.stringify(EXPECTED), EXPECTED, 201).fix.en).toStartWith("Answer with the status 200, not 201.");
  expect(findingOf("<h1>It works</h1>").seen.en).toBe("200 application/json <h1>It works</h1>");
  expect(findingOf("<h1>It works</h1>").fix.en).toStartWith("Check the output");
});
