import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brief, run } from "../../host/command.ts";
import { type Claim, claim } from "../claim.ts";
import type { Step } from "../step.ts";

const TIMEOUT_S = 900;
const MAX_MARK = 20;

/** The fields used here of the grader's JSON (grader/report/json.ts). */
export interface Grade {
  readonly seconds: number;
  readonly mark: number;
  /** As if nobody had asked for the images to be published. */
  readonly markWithoutPublished: number;
  readonly rules: readonly {
    readonly id: string;
    readonly title: string;
    readonly points: number;
    readonly verdict: "pass" | "fail" | "blocked" | "skipped";
  }[];
}

const MARK = { pass: "✓", fail: "✗", blocked: "✗", skipped: "–" } as const;

/** A line for each rule that has points. */
export const gradeTable = ({ rules }: Grade): string =>
  rules
    .filter(({ points }) => points > 0)
    .map(({ id, title, points, verdict }) => `  ${MARK[verdict]} ${id.padEnd(9)}  ${points}  ${title}`)
    .join("\n");

export function judgeGrade({ seconds, mark, markWithoutPublished, rules }: Grade): Claim[] {
  const published = rules.find(({ id }) => id === "published")?.verdict;
  const failed = rules.filter(({ id, verdict }) => id !== "published" && verdict !== "pass").map(({ id }) => id);
  const without = {
    pass: ".",
    skipped: "; no registry could be asked.",
    fail: "; make push would publish the images.",
    blocked: ".",
  }[published ?? "pass"];
  return [
    claim(
      markWithoutPublished === MAX_MARK && failed.length === 0,
      `The mark is ${mark}/${MAX_MARK}, after ${Math.round(seconds)} s${without}`,
      `The mark is ${mark}/${MAX_MARK}: ${failed.join(", ")} did not pass.`,
    ),
  ];
}

export const grade: Step = {
  title: "What the grader says",
  why: "It judges a stack of its own from outside, as any submission of the lab.",
  async show({ screen, folder }) {
    screen.command("make check");
    const file = join(folder, "grade.json");
    // As make check has it: it is graded with the subject's ports, whatever ports this machine uses.
    const env = { BACKEND_PORT: "", FRONTEND_PORT: "", LAB_BIND: "" };
    const { code, stderr } = await screen.progress("preparing", (stage) =>
      run(["bin/grader", ".", "--json", file], {
        env,
        ownGroup: true,
        seconds: TIMEOUT_S,
        onStderr: (text) => {
          for (const line of text.trim().split("\n")) stage(line.replace(" .:", ""));
        },
      }),
    );
    const [report] = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
    if (report?.rules === undefined)
      return [claim(false, "", `The grader could not grade (exit code ${code}): ${brief(report?.error ?? stderr)}`)];
    screen.output(gradeTable(report));
    return judgeGrade(report);
  },
};
