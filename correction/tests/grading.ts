// Grading inside of the tests' own process; an interruption of it leaves nothing either.
import { rmSync } from "node:fs";
import { interrupt } from "../command.ts";
import { grade } from "../grade.ts";
import type { Report } from "../rule.ts";
import type { Stack } from "../stack.ts";
import { type Files, foldersOf, write } from "./submissions.ts";

const stacks = new Set<Stack>();
const folders = new Set<string>();

process.on("SIGINT", async () => {
  await interrupt();
  await Promise.all([...stacks].map((stack) => stack.remove()));
  for (const folder of folders) rmSync(folder, { recursive: true });
  process.exit(130);
});

/** Grades a folder as it is. */
export async function gradeFolder(folder: string, registry?: string): Promise<Report> {
  let own: Stack | undefined;
  const started = (stack: Stack) => {
    own = stack;
    stacks.add(stack);
  };
  try {
    return await grade(folder, { registry, started });
  } finally {
    if (own !== undefined) stacks.delete(own);
  }
}

/** Grades files, in a folder that exists for as long as that. */
export async function gradeFiles(files: Files, registry?: string): Promise<Report> {
  const folder = write(files, await foldersOf(files));
  folders.add(folder);
  try {
    return await gradeFolder(folder, registry);
  } finally {
    folders.delete(folder);
    rmSync(folder, { recursive: true });
  }
}
