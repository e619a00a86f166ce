// Moodle's grading worksheet, filled in.

import { describe, expect, test } from "bun:test";
import { parse } from "csv-parse/sync";
import { parseHTML } from "linkedom";
import { fillWorksheet } from "../report/moodle/fill.ts";
import { decodeWorksheet, WorksheetError } from "../report/moodle/worksheet.ts";
import { graded, HOSTILE, ungraded } from "./made-class.ts";

const ENGLISH = [
  "Identifier",
  "Full name",
  "Email address",
  "Status",
  "Grade",
  "Maximum Grade",
  "Grade can be changed",
  "Last modified (submission)",
  "Last modified (grade)",
  "Feedback comments",
];
const FRENCH = [
  "Identifiant",
  "Nom complet",
  "Adresse de courriel",
  "Statut",
  "Note",
  "Note maximale",
  "La note peut être modifiée",
  "Dernière modification (travail remis)",
  "Dernière modification (note)",
  "Feedback par commentaires",
];
const [GRADE, FEEDBACK] = [4, 9];

interface Shape {
  readonly head?: readonly string[];
  readonly delimiter?: string;
  readonly mark?: string;
  readonly end?: string;
  readonly maximum?: string;
  readonly participant?: string;
}

/** A worksheet of some students: a number and a name each, with anything in further cells. */
function worksheet(students: readonly (readonly [string, string, string?])[], shape: Shape = {}): string {
  const {
    head = ENGLISH,
    delimiter = ",",
    mark = "",
    end = "\n",
    maximum = "20.00",
    participant = "Participant ",
  } = shape;
  const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const rows = students.map(([number, name, changeable = head === FRENCH ? "Oui" : "Yes"]) => [
    `${participant}${number}`,
    name,
    `${number}@example.org`,
    'Submitted for grading - "late"\nby 1 day',
    "",
    maximum,
    changeable,
    "Wednesday, 25 November 2026, 1:00 PM",
    "-",
    "old <b>feedback</b>",
  ]);
  return mark + [head, ...rows].map((row) => row.map(quote).join(delimiter) + end).join("");
}

const cellsOf = (text: string, delimiter = ","): string[][] => parse(text, { delimiter, bom: true });

/** Expects that only the grades and feedback of some lines differ. */
function expectOthersUnchanged(before: string, after: string, changed: readonly number[], delimiter = ","): void {
  const blank = (text: string) =>
    cellsOf(text, delimiter).map((row, line) =>
      row.map((cell, column) => (changed.includes(line) && [GRADE, FEEDBACK].includes(column) ? "" : cell)),
    );
  expect(blank(after)).toEqual(blank(before));
}

const STUDENTS = [
  ["1000001", "Chloé Élan"],
  ["1000002", "Bob Martin"],
  ["1000003", "=Carol"],
  ["1000004", "Dan"],
] as const;
const alice = graded("a", { fail: ["frontend"] }, { participant: "1000001" });
const carol = graded("c", {}, { participant: "1000003" });

const SHAPES: [string, Shape][] = [
  ["English, as Moodle writes it", {}],
  ["French", { head: FRENCH }],
  ["French without a space in the identifier", { head: FRENCH, participant: "Participant" }],
  ["a French Excel: semicolons, BOM, CRLF", { head: FRENCH, delimiter: ";", mark: "\ufeff", end: "\r\n" }],
  ["tabs", { delimiter: "\t" }],
  ["the line ends of an old Mac", { end: "\r" }],
  [
    "headers in other letters and spaces",
    { head: ENGLISH.map((title) => ` ${title.toUpperCase().replace(" ", "  ")} `) },
  ],
];

describe.each(SHAPES)("%s", (_, shape) => {
  const before = worksheet(STUDENTS, shape);
  const { csv, ...told } = fillWorksheet(before, [alice, carol], "en");
  const lines = cellsOf(csv, shape.delimiter);

  test("grades and feedback are filled in", () => {
    expect(told).toEqual({ filled: 2, empty: ["Bob Martin", "Dan"], locked: [], missing: [] });
    expect(lines.map((line) => line[GRADE]).slice(1)).toEqual(["15", "", "20", ""]);
    expect(lines[1]?.[FEEDBACK]).toMatch(
      /^<p><strong>15\/20 \(6 of 8 points\)<\/strong><\/p>.*seen: port 8000.*fix: return what/,
    );
    expect(lines[3]?.[FEEDBACK]).toContain("Every rule that was judged passes.");
  });

  test("all else stays", () => {
    expectOthersUnchanged(before, csv, [1, 3], shape.delimiter);
    const end = shape.end ?? "\n";
    const count = (text: string) => text.split(end).length;
    expect(count(csv)).toBe(count(before));
    expect(csv.startsWith("\ufeff")).toBe(shape.mark !== undefined);
    // Lines without a grade, byte for byte.
    const bob = before.slice(
      before.indexOf(`${end}"${shape.participant ?? "Participant "}1000002`),
      before.indexOf("1000003"),
    );
    expect(csv).toContain(bob.slice(0, bob.lastIndexOf(end)));
  });
});

test("the mark is scaled to the maximum", () => {
  const gradeFor = (maximum: string) =>
    cellsOf(fillWorksheet(worksheet(STUDENTS, { maximum }), [alice], "en").csv)[1]?.[GRADE];
  expect(["100.00", "100,00", "1 000,00", "1\u00a0000,00", "30", "10.5"].map(gradeFor)).toEqual([
    "75",
    "75",
    "750",
    "750",
    "22.5",
    "7.88",
  ]);
  const without = worksheet(STUDENTS).replace('"Maximum Grade"', '"Something"');
  expect(cellsOf(fillWorksheet(without, [alice], "en").csv)[1]?.[GRADE]).toBe("15");
});

test("rows that Moodle has locked stay, and are told", () => {
  const before = worksheet([
    ["1000001", "Chloé", "No"],
    ["1000003", "Carol", "Non"],
    ["1000002", "Bob"],
  ]);
  const filled = fillWorksheet(before, [alice, carol], "en");
  expect(filled).toEqual({ csv: before, filled: 0, empty: ["Bob"], locked: ["Chloé", "Carol"], missing: [] });
});

test("who is not in the worksheet is told; who was not graded keeps the row", () => {
  const before = worksheet(STUDENTS);
  const rows = [
    graded("z", {}, { name: "Zoé", participant: "9" }),
    ungraded("a", "no engine", { participant: "1000001" }),
  ];
  expect(fillWorksheet(before, rows, "en")).toEqual({
    csv: before,
    filled: 0,
    empty: STUDENTS.map(([, name]) => name),
    locked: [],
    missing: ["Zoé"],
  });
});

test("a part of a number is not the number", () => {
  const { filled } = fillWorksheet(
    worksheet([
      ["11000001", "x"],
      ["100000", "y"],
    ]),
    [alice],
    "en",
  );
  expect(filled).toBe(0);
});

describe("by name", () => {
  test("whatever case, spaces and composition, if it is there once", () => {
    const row = graded("chloe", {}, { name: " chloé  ÉLAN".normalize("NFD") });
    const { filled, missing } = fillWorksheet(worksheet(STUDENTS), [row], "en");
    expect([filled, missing]).toEqual([1, []]);
  });

  test("not if two lines, or two submissions, have it", () => {
    const twice = worksheet([
      ["1", "Bob Martin"],
      ["2", "Bob Martin"],
    ]);
    const bob = graded("bob", {}, { name: "Bob Martin" });
    expect(fillWorksheet(twice, [bob], "en")).toMatchObject({ csv: twice, filled: 0, missing: ["Bob Martin"] });
    const once = worksheet(STUDENTS);
    const both = fillWorksheet(once, [bob, { ...bob, id: "bob2" }], "en");
    expect(both).toMatchObject({ csv: once, filled: 0, missing: ["Bob Martin", "Bob Martin"] });
  });

  test("not for a submission with another number, and not over one with that number", () => {
    const other = graded("bob", {}, { name: "Bob Martin", participant: "7" });
    expect(fillWorksheet(worksheet(STUDENTS), [other], "en")).toMatchObject({ filled: 0, missing: ["Bob Martin"] });
    const named = graded("x", { fail: ["tree"] }, { name: "Chloé Élan" });
    const { csv, missing } = fillWorksheet(worksheet(STUDENTS), [alice, named], "en");
    expect(cellsOf(csv)[1]?.[GRADE]).toBe("15");
    expect(missing).toEqual(["Chloé Élan"]);
  });
});

test("two submissions of one participant are not chosen between", () => {
  const { filled, missing } = fillWorksheet(worksheet(STUDENTS), [alice, { ...carol, participant: "1000001" }], "en");
  expect([filled, missing]).toEqual([0, ["a", "c"]]);
});

test("without a column for feedback, only the grade", () => {
  const before = worksheet(STUDENTS).replace('"Feedback comments"', '"Something"');
  const { csv } = fillWorksheet(before, [alice], "en");
  expect(cellsOf(csv)[1]?.[FEEDBACK]).toBe("old <b>feedback</b>");
});

test("blank lines and a missing line end stay", () => {
  const before = `${worksheet(STUDENTS).trimEnd().replace('\n"Participant 1000001', '\n\n"Participant 1000001')}`;
  const { csv } = fillWorksheet(before, [alice, graded("d", {}, { participant: "1000004" })], "en");
  expect(csv).toContain('Feedback comments"\n\nParticipant 1000001,');
  expect(csv).toEndWith(">");
  const blank = `${before}\n\n\n`;
  expect(fillWorksheet(blank, [alice], "en").csv).toEndWith('feedback</b>"\n\n\n');
});

test("what submissions say is text in the feedback, and does not leave its cell", () => {
  for (const seen of HOSTILE) {
    const before = worksheet(STUDENTS);
    const { csv } = fillWorksheet(before, [graded("a", { fail: ["tree"] }, { participant: "1000001", seen })], "fr");
    expectOthersUnchanged(before, csv, [1]);
    const feedback = cellsOf(csv)[1]?.[FEEDBACK] ?? "";
    // Moodle reads CSV with PHP, for which \" does not end a cell: so no quote may come from here.
    expect(feedback).not.toMatch(/["\n]/);
    const { document } = parseHTML(`<!doctype html><html><body>${feedback}</body></html>`);
    expect([...document.body.querySelectorAll("*")].map(({ tagName }) => tagName)).toEqual(
      "P STRONG P STRONG UL LI BR BR".split(" "),
    );
  }
});

test.each([
  ["", "the worksheet is empty"],
  ["\n\n", "the worksheet is empty"],
  ["Name,Grade\nx,\n", 'line 1: no column "Identifier" or "Identifiant": the headers are "Name", "Grade"'],
  ["Identifier,Full name\nParticipant 1,x\n", 'line 1: no column "Grade" or "Note"'],
  ["Identifier,Grade\nParticipant 1,2,3\n", "line 2: not valid CSV"],
  ['Identifier,Grade\nParticipant 1,"2\n', "not valid CSV (Quote Not Closed"],
  ['Identifier,Grade\nParticipant 1,2"3\n', "line 2: not valid CSV"],
  ["Identifier,Grade\nParticipant 1,\nParticipant 1,\n", "line 3: participant 1 is there twice"],
  ["Identifier,Grade,Scale\nParticipant 1,,\n", "line 1: Moodle grades by a scale here"],
  ["Identifier,Grade,Maximum grade\nParticipant 1000001,,abc\n", 'line 2: the maximum grade "abc" is not a number'],
  ["Identifier,Grade,Maximum grade\nParticipant 1000001,,0\n", 'line 2: the maximum grade "0" is not a number'],
])("%j is an error", (text, message) => {
  expect(() => fillWorksheet(text, [alice], "en")).toThrow(WorksheetError);
  expect(() => fillWorksheet(text, [alice], "en")).toThrow(message);
});

test("bytes: UTF-8 with and without BOM, and windows-1252", () => {
  const text = worksheet(STUDENTS, { head: FRENCH });
  expect(decodeWorksheet(Buffer.from(text))).toBe(text);
  expect(decodeWorksheet(Buffer.from(`\ufeff${text}`))).toBe(`\ufeff${text}`);
  expect(decodeWorksheet(Buffer.from(text, "latin1"))).toBe(text);
  expect(decodeWorksheet(Uint8Array.of(0x80, 0x92, 0xe9))).toBe("€’é");
  const { filled, csv } = fillWorksheet(decodeWorksheet(Buffer.from(text, "latin1")), [alice], "fr");
  expect(filled).toBe(1);
  expect(csv).toContain("Dernière modification");
});
