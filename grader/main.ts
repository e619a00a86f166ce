import { writeFileSync } from "node:fs";
import { Command, Option } from "commander";
import { cancelCommands, terminateCommands } from "../host/command.ts";
import { version } from "../package.json" with { type: "json" };
import { requireEngine } from "./compose.ts";
import { Ungradable } from "./errors.ts";
import { grade } from "./grade.ts";
import { json } from "./report/json.ts";
import { junit } from "./report/junit.ts";
import { painter, summary, table } from "./report/table.ts";
import type { Report, Rule } from "./rule.ts";
import { Stack } from "./stack.ts";
import { readSubmission } from "./submission.ts";
import type { Language } from "./text.ts";

interface Flags {
  readonly json?: string;
  readonly junit?: string;
  readonly keep?: boolean;
  readonly registry?: string;
  readonly lang: Language;
}

/** All rules passed or skipped; something failed; it could not grade. */
const EXIT = { good: 0, failed: 1, ungradable: 2, interrupted: 130 };

let running: Stack | undefined;

let ending = false;

/** At the first signal all that was made is removed; at a second one it is left. */
async function end(): Promise<never> {
  if (ending) return leave();
  ending = true;
  console.error("\ncleaning up");
  await cancelCommands();
  await running?.remove({ interrupted: true }).catch(warn);
  process.exit(EXIT.interrupted);
}

function leave(): never {
  terminateCommands();
  if (running !== undefined) console.error(`left: the Compose project ${running.project}; ${running.removal}`);
  process.exit(EXIT.interrupted);
}

const warn = (error: Error) => console.error(`warning: ${error.message}`);

process.on("SIGINT", end).on("SIGTERM", end);

const program = new Command("grader")
  .description("Grades folders that claim to solve the lab, from outside: files, Docker, HTTP.")
  .version(version)
  .argument("<folder...>", "the folders to grade, one after the other")
  .option("--json <file>", "write the result as JSON, too")
  .option("--junit <file>", "write the result as JUnit XML, too")
  .option("--keep", "leave the stacks as they are after the last rule")
  .option("--registry <host>", "where the images are published, instead of Docker Hub")
  .addOption(new Option("--lang <language>", "language of the report").choices(["en", "fr"]).default("en"))
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.good : EXIT.ungradable))
  .action(async (folders: string[], flags: Flags) => {
    process.exitCode = await main(folders, flags);
  });

async function main(folders: readonly string[], flags: Flags): Promise<number> {
  const paint = painter(process.stdout.isTTY === true);
  const rows: (Report | { folder: string; error: string })[] = [];
  for (const folder of folders) {
    try {
      await requireEngine();
      const report = await gradeOne(folder, flags);
      rows.push(report);
      console.log(table(report, flags.lang, paint));
    } catch (error) {
      const message = error instanceof Ungradable ? error.message : `${folder}: ${(error as Error).message}`;
      rows.push({ folder, error: message });
      console.error(`error: ${message}`);
    }
  }
  if (folders.length > 1) console.log(summary(rows, flags.lang));
  const reports = rows.filter((row): row is Report => !("error" in row));
  if (flags.json !== undefined) writeFileSync(flags.json, json(reports, flags.lang));
  if (flags.junit !== undefined) writeFileSync(flags.junit, junit(reports, flags.lang));
  if (reports.length < rows.length) return EXIT.ungradable;
  const failed = reports.some(({ results }) => results.some(({ verdict }) => verdict === "fail"));
  return failed ? EXIT.failed : EXIT.good;
}

async function gradeOne(folder: string, { keep, registry, lang }: Flags): Promise<Report> {
  const tty = process.stderr.isTTY === true;
  const progress = (step: number, steps: number, rule: Rule | undefined) => {
    const line = rule === undefined ? "" : `${step + 1}/${steps} ${folder}: ${rule.title[lang]}`;
    if (tty) process.stderr.write(`\r\x1b[K${line}`);
    else if (line !== "") console.error(line);
  };
  const stack = await Stack.prepare(await readSubmission(folder));
  running = stack;
  try {
    return await grade(stack, { advice: !keep, registry, progress });
  } finally {
    if (keep) console.error(`kept: the Compose project ${stack.project}; ${stack.removal}`);
    else await stack.remove().catch(warn);
    running = undefined;
  }
}

program.parseAsync();
