import builder from "junit-report-builder";
import type { Report } from "../rule.ts";
import type { Language } from "../text.ts";

/** The reports as JUnit XML: a test suite per folder, a test case per rule. JUnit has no "blocked", only "skipped". */
export function junit(reports: readonly Report[], language: Language): string {
  const root = builder.newBuilder();
  for (const { folder, results } of reports) {
    const suite = root.testSuite().name(folder);
    for (const { rule, verdict, findings, reason } of results) {
      const test = suite.testCase().className(folder).name(`${rule.id}: ${rule.title[language]}`);
      if (verdict === "blocked" || verdict === "skipped") test.skipped().standardOutput(reason?.[language] ?? "");
      if (verdict === "fail") {
        test.failure(
          findings
            .map(({ seen, expected, fix }) => [seen, expected, fix].map((part) => part[language]).join("\n"))
            .join("\n\n"),
        );
      }
    }
  }
  return root.build();
}
