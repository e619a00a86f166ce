// The other reports of a class: CSV, Gradescope, JUnit, JSON and GitHub, and how all are written.

import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { parseHTML } from "linkedom";
import { csv } from "../report/csv.ts";
import { reportToGithub } from "../report/github.ts";
import { githubSummary } from "../report/github-summary.tsx";
import { gradescope } from "../report/gradescope.ts";
import { json } from "../report/json.ts";
import { junit } from "../report/junit.ts";
import { WorksheetError } from "../report/moodle/worksheet.ts";
import { writeReports } from "../report/write.ts";
import { printable } from "../text.ts";
import { CLASS, graded, HOSTILE, RULES, ungraded } from "./made-class.ts";

const folder = mkdtempSync(join(tmpdir(), "reports-"));
afterAll(() => rmSync(folder, { recursive: true }));

const bob = graded("bob", { fail: ["frontend"] }, { name: "Bob Martin" });
const dan = graded("dan", { fail: ["up"], blocked: ["frontend"], skipped: ["published"] });
const erin = ungraded("erin", "no space left on device");

describe("CSV", () => {
  test("a line for each submission, graded or not", () => {
    const lines: string[][] = parse(csv([bob, dan, erin], "fr"), { bom: true, delimiter: ";" });
    expect(lines).toEqual([
      ["nom", "participant", "note", "sans published", ...RULES.map(({ id }) => id), "erreur"],
      ["Bob Martin", "", "15", "13,3", "réussie", "réussie", "réussie", "réussie", "ÉCHEC", "réussie", ""],
      ["dan", "", "10", "10", "réussie", "réussie", "ÉCHEC", "non évaluée", "bloquée", "réussie", ""],
      ["erin", "", "", "", "", "", "", "", "", "", "no space left on device"],
    ]);
  });

  test("begins with a byte order mark, and its lines end with CRLF", () => {
    const text = csv([bob], "en");
    expect(text).toStartWith("\ufeffname,participant,mark");
    expect(text.match(/\r\n/g)).toHaveLength(2);
    expect(text.match(/\n/g)).toHaveLength(2);
  });

  test("no cell is a formula, and all stay in their columns", () => {
    const rows = ["=1+1", "+1", "-1", "@A1", "\tx", "\rx", ...HOSTILE].map((name, index) =>
      graded(`s${index}`, {}, { name }),
    );
    const lines: string[][] = parse(csv(rows, "en"), { bom: true });
    expect(lines).toHaveLength(rows.length + 1);
    for (const cells of lines) {
      expect(cells).toHaveLength(RULES.length + 5);
      for (const cell of cells) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    }
  });
});

describe("Gradescope", () => {
  const read = (row: Parameters<typeof gradescope>[0]) => JSON.parse(gradescope(row, "en") ?? "null");

  test("the mark on top, and a test for each rule", () => {
    const { score, execution_time, output, tests } = read(bob);
    expect({ score, execution_time }).toEqual({ score: 15, execution_time: 42 });
    expect(output).toBe("15/20 (6 of 8 points)\nadvice, without points:\n- backend: image of 900 MB");
    expect(tests).toHaveLength(RULES.length);
    expect(tests[4]).toEqual({
      name: "frontend: port 8000 returns the backend's JSON",
      number: "5",
      score: 0,
      max_score: 2,
      status: "failed",
      output:
        'seen: port 8000 answered 200 with {"return": null}\nexpected: the JSON of the subject\nfix: return what the backend sends',
      output_format: "text",
      extra_data: { rule: "frontend", verdict: "fail", seconds: 5 },
    });
    expect(tests[1]).toMatchObject({ score: 1, max_score: 1, status: "passed", output: "pass" });
  });

  test("a skipped rule has no score, so the scores give the mark; a blocked one has lost", () => {
    const { score, tests } = read(dan);
    const sum = (field: "score" | "max_score") =>
      tests.reduce((total: number, one: Record<string, number>) => total + (one[field] ?? 0), 0);
    expect((sum("score") / sum("max_score")) * 20).toBe(score);
    expect(Object.keys(tests[3])).toEqual(["name", "number", "output", "output_format", "extra_data"]);
    expect(tests[4]).toMatchObject({
      score: 0,
      max_score: 2,
      status: "failed",
      output: "blocked by the rule up, which did not pass",
    });
  });

  test("nothing for a submission that was not graded", () => expect(gradescope(erin, "en")).toBeUndefined());
});

describe("JUnit", () => {
  const documentOf = (xml: string) => parseHTML(xml.replace(/^<\?.*\?>/, "")).document;

  test("a suite for each submission, a case for each rule, with times", () => {
    const document = documentOf(junit([bob, dan, erin], "en"));
    const suites = [...document.querySelectorAll("testsuite")];
    const attributes = (name: string) => suites.map((suite) => suite.getAttribute(name));
    expect(attributes("name")).toEqual(["Bob Martin", "dan", "erin"]);
    expect(attributes("time")).toEqual(["42.4", "42.4", "42.4"]);
    expect(attributes("failures")).toEqual(["1", "1", "0"]);
    expect(attributes("errors")).toEqual(["0", "0", "1"]);
    expect(attributes("skipped")).toEqual(["0", "2", "0"]);
    expect(document.querySelectorAll("testcase")).toHaveLength(2 * RULES.length + 1);
    expect(document.querySelector("testcase[time='1.25']")?.getAttribute("name")).toStartWith("tree: ");
  });

  test("says why", () => {
    const xml = junit([bob, dan, erin], "fr");
    expect(xml).toContain("constaté : port 8000");
    expect(xml).toContain("bloquée par la règle up");
    expect(xml).toMatch(/<testcase[^>]*name="correction impossible"[^>]*>\s*<error message="no space left on device"/);
  });

  test("hostile texts do not leave their place, and the XML is well-formed", async () => {
    const xml = junit(CLASS, "en");
    const document = documentOf(xml);
    expect(document.querySelectorAll("testsuite")).toHaveLength(CLASS.length);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML has none of them
    expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
    if (Bun.which("python3") === null) return;
    const check = Bun.spawn(
      [
        "python3",
        "-c",
        "import sys, xml.dom.minidom as m; print(len(m.parse(sys.stdin.buffer).getElementsByTagName('testcase')))",
      ],
      { stdin: Buffer.from(xml) },
    );
    expect(await new Response(check.stdout).text()).toBe(`${(CLASS.length - 2) * RULES.length + 2}\n`);
  });
});

test("JSON has every submission, in order", () => {
  const [first, second, third] = JSON.parse(json([bob, dan, erin], "fr"));
  expect(third).toEqual({ folder: "erin", error: "no space left on device" });
  expect(Object.keys(first)).toEqual(["folder", "seconds", "mark", "markWithoutPublished", "rules", "advice"]);
  expect(first).toMatchObject({ folder: "Bob Martin", seconds: 42.4, mark: 15 });
  expect(second.rules[4]).toMatchObject({
    verdict: "blocked",
    reason: "bloquée par la règle up, qui n'est pas validée",
  });
});

describe("GitHub Actions", () => {
  const file = join(folder, "summary.md");
  const printed: string[] = [];
  const before = process.env.GITHUB_STEP_SUMMARY;
  beforeAll(async () => {
    writeFileSync(file, "before\n\n");
    process.env.GITHUB_STEP_SUMMARY = file;
    const write = spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0);
    try {
      await reportToGithub(CLASS, "en");
    } finally {
      write.mockRestore();
    }
  });
  afterAll(() => {
    if (before === undefined) delete process.env.GITHUB_STEP_SUMMARY;
    else process.env.GITHUB_STEP_SUMMARY = before;
  });

  test("an error for each submission with something wrong, on one line each", () => {
    expect(printed).toHaveLength(CLASS.length - 2);
    for (const line of printed) expect(line).toMatch(/^::error title=[^:,\n\r]*::[^\n\r]*\n$/);
    expect(printed[0]).toStartWith(
      "::error title=Bob Martin%3A 15/20 (6 of 8 points)::port 8000 returns the backend's JSON%0Aseen: ",
    );
    expect(printed[2]).toBe(
      "::error title=Erin O’Neil%3A could not be graded::python:3.12 could not be pulled: 429 Too Many Requests\n",
    );
  });

  test("the summary follows what is there, and hostile texts stay texts", () => {
    const text = readFileSync(file, "utf8");
    expect(text).toStartWith("before\n\n<table>");
    const { document } = parseHTML(`<!doctype html><html><body>${text}</body></html>`);
    expect(document.querySelectorAll("tbody tr")).toHaveLength(CLASS.length);
    expect(document.querySelectorAll("script, img, testcase, style, a")).toHaveLength(0);
    // Markdown begins after a blank line only, where each part begins with HTML.
    for (const part of text.trim().split("\n\n").slice(1)) expect(part).toMatch(/^<(table|details)>.*>$/);
  });

  test("the summary stays under GitHub's limit, and says what is missing", () => {
    const rows = Array.from({ length: 3000 }, (_, index) =>
      graded(`s${index}`, { fail: ["tree"] }, { seen: "é".repeat(1500) }),
    );
    const text = githubSummary(rows, "en", 1024 * 1024);
    expect(Buffer.byteLength(text)).toBeWithin(900_000, 1024 * 1024);
    expect(text).toMatch(/<\/details>\n\n\d+ more submissions or details are left out/);
    const tiny = githubSummary(rows, "fr", 2000);
    expect(Buffer.byteLength(tiny)).toBeLessThan(2000);
    expect(tiny).toMatch(/<\/tbody><\/table>\n\n\d+ autres rendus/);
    const without = githubSummary([bob], "en", 1024 * 1024);
    expect(without).not.toContain("left out");
  });

  test("without a file for it there is no summary", async () => {
    process.env.GITHUB_STEP_SUMMARY = "";
    await reportToGithub([graded("fine")], "en");
  });
});

describe("writing", () => {
  const place = join(folder, "class");
  const worksheet = join(folder, "worksheet.csv");
  writeFileSync(worksheet, "Identifiant;Note\r\nParticipant 1000001;\r\nParticipant 5;\r\n");

  test("all files, and what to tell", () => {
    const written = writeReports(place, CLASS, { language: "fr", worksheet });
    expect(written).toEqual({
      files: ["index.fr.html", "marks.csv", "moodle.csv"].map((name) => join(place, name)),
      worksheet: {
        filled: 1,
        empty: ["Participant 5"],
        locked: [],
        missing: CLASS.filter((row) => "report" in row && row.participant !== "1000001").map(({ name }) =>
          printable(name),
        ),
      },
    });
    expect(readdirSync(place).sort()).toEqual(
      ["index.fr.html", "index.html", "junit.xml", "marks.csv", "moodle.csv", "submissions"].sort(),
    );
    expect(readdirSync(join(place, "submissions/bob")).sort()).toEqual(["index.fr.html", "index.html", "results.json"]);
    expect(readFileSync(join(place, "moodle.csv"), "utf8")).toBe(
      "Identifiant;Note\r\nParticipant 1000001;20\r\nParticipant 5;\r\n",
    );
  });

  test("results of an earlier run do not stay for a submission that was not graded now", () => {
    const path = join(place, "submissions/bob/results.json");
    expect(existsSync(path)).toBeTrue();
    expect(writeReports(place, [ungraded("bob", "no engine")], { language: "en" })).not.toHaveProperty("worksheet");
    expect(existsSync(path)).toBeFalse();
  });

  test("a worksheet that cannot be used is an error with its path, after the other reports", () => {
    const other = join(folder, "other");
    writeFileSync(worksheet, "a,b\n");
    const write = () => writeReports(other, [bob], { language: "en", worksheet });
    expect(write).toThrow(WorksheetError);
    expect(write).toThrow(`${worksheet}: line 1: no column "Identifier"`);
    expect(existsSync(join(other, "marks.csv"))).toBeTrue();
    expect(() => writeReports(other, [bob], { language: "en", worksheet: "/nowhere.csv" })).toThrow("ENOENT");
  });
});
