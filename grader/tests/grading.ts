// Grades within the test process, and cleans up after an interruption too.

import { rmSync } from "node:fs";
import { cancelCommands } from "../../host/command.ts";
import { grade, type Options } from "../grade.ts";
import type { Report, Result } from "../rule.ts";
import { Stack } from "../stack.ts";
import { type Files, foldersOf, submissionOf, write } from "./submissions.ts";

export const MINUTE_MS = 60_000;

const stacks = new Set<Stack>();
const folders = new Set<string>();

process.on("SIGINT", async () => {
  await cancelCommands();
  await Promise.all([...stacks].map((stack) => stack.remove({ interrupted: true })));
  for (const folder of folders) rmSync(folder, { recursive: true });
  process.exit(130);
});

/** A registry that limits the rate, so the result does not depend on whether this machine can reach Docker Hub. */
const limited = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => new Response("", { status: 429, headers: { "retry-after": "3600" } }),
});
limited.unref();

/** Grades a folder as it is. */
export async function gradeFolder(folder: string, options: Options = {}): Promise<Report> {
  const stack = await Stack.prepare(await submissionOf(folder));
  stacks.add(stack);
  try {
    return await grade(stack, { registry: `127.0.0.1:${limited.port}`, ...options });
  } finally {
    await stack.remove();
    stacks.delete(stack);
  }
}

/** Writes files to a temporary folder and grades it. */
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

/** The mark, the rules that failed with what they saw, and the rules that were not judged. */
export function outcome({ mark, results }: Report) {
  const withVerdict = (wanted: Result["verdict"]) => results.filter(({ verdict }) => verdict === wanted);
  return {
    mark,
    failed: withVerdict("fail").map(({ rule, findings }) => [rule.id, findings.map(({ seen }) => seen.en)]),
    blocked: withVerdict("blocked").map(({ rule }) => rule.id),
    skipped: withVerdict("skipped").map(({ rule }) => rule.id),
  };
}
