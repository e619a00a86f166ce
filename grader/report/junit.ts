import builder from "junit-report-builder";
import type { Report } from "../rule.ts";
import type { Language } from "../text.ts";

/** Graded folders as JUnit's XML: a suite a folder, a case a rule. */
export function junit(reports: readonly Report[], language: Language): string {
  const root = builder.newBuilder();
  for (const { folder, results } of reports) {
    const suite = root.testSuite().name(folder);
    for (const { rule, verdict, findings, reason } of results) {
      const test = suite.testCase().className(folder).name(`${rule.id}: ${rule.title[language]}`);
      if (verdict === "skipped") test.skipped().standardOutput(reason?.[language] ?? "");
      if (verdict === "fail") {
        test.failure(
          findings
            .map(({ seen, expected, mend }) => [seen, expected, mend].map((part) => part[language]).join("\n"))
            .join("\n\n"),
        );
      }
    }
  }
  return root.build();
}
