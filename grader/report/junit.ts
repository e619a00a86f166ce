import builder from "junit-report-builder";
import { type Graded, isGraded } from "../graded.ts";
import type { Result } from "../rule.ts";
import type { Language } from "../text.ts";
import { findingsText } from "./findings.ts";
import { WORDS } from "./words.ts";

type Suite = ReturnType<ReturnType<typeof builder.newBuilder>["testSuite"]>;

/**
 * All submissions as JUnit XML: a test suite each, with a test case per rule and times in seconds. JUnit has no
 * "blocked", only "skipped". One that could not be graded is a suite with one case, which is an error, not a failure.
 */
export function junit(rows: readonly Graded[], language: Language): string {
  const root = builder.newBuilder();
  for (const row of rows) {
    const name = xml(row.name);
    const suite = root.testSuite().name(name).time(row.seconds).timestamp(row.date);
    if (isGraded(row)) for (const result of row.report.results) addCase(suite, name, result, language);
    else suite.testCase().className(name).name(WORDS[language].ungradable).time(row.seconds).error(xml(row.error));
  }
  return root.build();
}

function addCase(suite: Suite, className: string, result: Result, language: Language): void {
  const { rule, verdict, seconds, findings, reason } = result;
  const test = suite
    .testCase()
    .className(className)
    .name(xml(`${rule.id}: ${rule.title[language]}`))
    .time(seconds);
  // The library writes <skipped> without a message, so the reason goes where CI systems show what a test printed.
  if (verdict === "blocked" || verdict === "skipped") test.skipped().standardOutput(xml(reason?.[language] ?? ""));
  if (verdict === "fail") test.failure(xml(findingsText(findings, language)));
}

/** The text without what XML cannot hold, even escaped: https://www.w3.org/TR/xml/#charsets */
const xml = (words: string) =>
  words.toWellFormed().replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "�");
