import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { cancelCommands, terminateCommands } from "../host/command.ts";
import { version } from "../package.json" with { type: "json" };
import { requireEngine, requireRuntime } from "./compose.ts";
import { Ungradable } from "./errors.ts";
import { grade } from "./grade.ts";
import { REACH_PROJECT, requireReach } from "./reach.ts";
import { removeProject } from "./removal.ts";
import { json } from "./report/json.ts";
import { junit } from "./report/junit.ts";
import { painter, summary, table } from "./report/table.ts";
import type { Report, Rule } from "./rule.ts";
import { Stack } from "./stack.ts";
import { readSubmission } from "./submission.ts";
import { type Language, printable } from "./text.ts";
import { removeWorkFolders } from "./work-folder.ts";

interface Flags {
  readonly json?: string;
  readonly junit?: string;
  readonly keep?: boolean;
  readonly registry?: string;
  readonly runtime?: string;
  readonly lang: Language;
}

const EXIT_CODE = { passed: 0, failed: 1, ungradable: 2, interrupted: 130 };

/** For an engine that has gone away to come back. */
const ENGINE_TIMEOUT_S = 60;

/** All that have not been removed yet; one that could not be, because the engine was away, is tried again. */
const stacks = new Set<Stack>();
let engineHasAnswered = false;
let interrupted = false;

/** Removes the stacks at the first Ctrl-C; leaves them at the second one. */
async function onInterrupt(): Promise<never> {
  if (interrupted) {
    terminateCommands();
    for (const stack of stacks) sayNotRemoved(stack);
  } else {
    interrupted = true;
    console.error("\ninterrupted: removing what was created (Ctrl-C again leaves it)");
    await cancelCommands();
    for (const stack of stacks) await stack.remove({ interrupted: true }).catch(warn);
    await removeProject(REACH_PROJECT).catch(warn);
    removeWorkFolders();
  }
  process.exit(EXIT_CODE.interrupted);
}

const sayNotRemoved = ({ project, removalCommand }: Stack) =>
  console.error(`not removed: the Compose project ${project}; to remove it: ${removalCommand}`);

const warn = (error: Error) => console.error(`warning: ${error.message}`);

process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);

const program = new Command("grader")
  .description("Grades submissions of the Docker lab from outside: by their files, through Docker and over HTTP.")
  .version(version)
  .argument("<folder...>", "the folders to grade, one after the other")
  .option("--json <file>", "also write the report as JSON")
  .option("--junit <file>", "also write the report as JUnit XML")
  .option("--keep", "do not remove the containers and images afterwards; gives no advice")
  .option("--runtime <name>", "run the containers with this runtime of the engine, for example runsc (gVisor)")
  .option("--registry <host>", "the registry of the published images, instead of Docker Hub")
  .addOption(new Option("--lang <language>", "language of the report").choices(["en", "fr"]).default("en"))
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT_CODE.passed : EXIT_CODE.ungradable))
  .action(async (folders: string[], flags: Flags) => {
    process.exitCode = await main(folders, flags);
  });

type Row = Report | { folder: string; error: string };

async function main(folders: readonly string[], flags: Flags): Promise<number> {
  const rows: Row[] = [];
  const again: number[] = [];
  for (const folder of folders) {
    const { row, passes } = await tryFolder(folder, flags);
    if (passes && folders.length > 1) again.push(rows.length);
    rows.push(row);
  }
  // A registry's limit, a full disk or an engine that was away may be over by now.
  for (const index of again) rows[index] = (await tryFolder(folders[index] ?? "", flags)).row;
  await removeStacks();
  for (const stack of stacks) sayNotRemoved(stack);
  if (folders.length > 1) console.log(summary(rows, flags.lang));
  const reports = rows.filter((row): row is Report => !("error" in row));
  if (flags.json !== undefined) writeFileSync(flags.json, json(reports, flags.lang));
  if (flags.junit !== undefined) writeFileSync(flags.junit, junit(reports, flags.lang));
  if (reports.length < rows.length) return EXIT_CODE.ungradable;
  const failed = reports.some(({ results }) => results.some(({ verdict }) => verdict === "fail"));
  return failed ? EXIT_CODE.failed : EXIT_CODE.passed;
}

/** Grades a folder, and prints its table or why it could not be graded. */
async function tryFolder(folder: string, flags: Flags): Promise<{ row: Row; passes: boolean }> {
  try {
    await awaitEngine();
    await removeStacks();
    await requireReach();
    if (flags.runtime !== undefined) await requireRuntime(flags.runtime);
    const report = await gradeFolder(folder, flags);
    console.log(table(report, flags.lang, painter(process.stdout.isTTY === true)));
    return { row: report, passes: false };
  } catch (error) {
    const { message: said } = error as Error;
    const message = printable(said.startsWith(folder) ? said : `${folder}: ${said}`);
    console.error(`error: ${message}`);
    return { row: { folder: printable(folder), error: message }, passes: error instanceof Ungradable && error.passes };
  }
}

/** Waits for the engine, if it has answered before: it may be restarting. */
async function awaitEngine(): Promise<void> {
  const end = Date.now() + (engineHasAnswered ? ENGINE_TIMEOUT_S : 0) * 1000;
  for (let isFirst = true; ; isFirst = false, await Bun.sleep(1000)) {
    try {
      await requireEngine();
      engineHasAnswered = true;
      return;
    } catch (error) {
      engineHasAnswered = Date.now() < end;
      if (!engineHasAnswered) throw error;
      if (isFirst) console.error(`waiting for the Docker engine, at most ${ENGINE_TIMEOUT_S} s`);
    }
  }
}

async function removeStacks(): Promise<void> {
  for (const stack of stacks) {
    try {
      await stack.remove();
      stacks.delete(stack);
    } catch (error) {
      warn(error as Error);
    }
  }
}

async function gradeFolder(folder: string, { keep, registry, runtime, lang }: Flags): Promise<Report> {
  const isTerminal = process.stderr.isTTY === true;
  const progress = (step: number, steps: number, rule: Rule | undefined) => {
    const line = rule === undefined ? "" : `${step + 1}/${steps} ${printable(folder)}: ${rule.title[lang]}`;
    if (isTerminal) process.stderr.write(`\r\x1b[K${line}`);
    else if (line !== "") console.error(line);
  };
  const stack = await Stack.prepare(await readSubmission(folder), runtime);
  stacks.add(stack);
  try {
    return await grade(stack, { advice: !keep, registry, progress });
  } finally {
    if (keep) {
      sayNotRemoved(stack);
      stacks.delete(stack);
    } else {
      await removeStacks();
    }
  }
}

program.parseAsync();
