// Grading inside of the tests' own process; an interruption of it leaves nothing either.

import { rmSync } from "node:fs";
import { cancelCommands } from "../../host/command.ts";
import { grade, type Options } from "../grade.ts";
import type { Report } from "../rule.ts";
import { Stack } from "../stack.ts";
import { readSubmission } from "../submission.ts";
import { type Files, foldersOf, write } from "./submissions.ts";

export const MINUTES = 60_000;

const stacks = new Set<Stack>();
const folders = new Set<string>();

process.on("SIGINT", async () => {
  await cancelCommands();
  await Promise.all([...stacks].map((stack) => stack.remove({ interrupted: true })));
  for (const folder of folders) rmSync(folder, { recursive: true });
  process.exit(130);
});

/** A registry that is out of reach, whatever this machine can reach. */
const NOWHERE = "127.0.0.1:9";

/** Grades a folder as it is. */
export async function gradeFolder(folder: string, options: Options = {}): Promise<Report> {
  const stack = await Stack.prepare(await readSubmission(folder));
  stacks.add(stack);
  try {
    return await grade(stack, { registry: NOWHERE, ...options });
  } finally {
    await stack.remove();
    stacks.delete(stack);
  }
}

/** Grades files, in a folder that exists for as long as that. */
export async function gradeFiles(files: Files, options?: Options): Promise<Report> {
  const folder = write(files, await foldersOf(files));
  folders.add(folder);
  try {
    return await gradeFolder(folder, options);
  } finally {
    folders.delete(folder);
    rmSync(folder, { recursive: true });
  }
}

/** The mark, the rules that failed, with what they saw, and those that were skipped. */
export function outcome({ mark, results }: Report) {
  const of = (wanted: string) => results.filter(({ verdict }) => verdict === wanted);
  const failed = of("fail").map(({ rule, findings }) => [rule.id, findings.map(({ seen }) => seen.en)]);
  return { mark, failed, skipped: of("skipped").map(({ rule }) => rule.id) };
}
