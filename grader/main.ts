import { availableParallelism } from "node:os";
import { Command, InvalidArgumentError, Option } from "commander";
import { version } from "../package.json" with { type: "json" };
import { type GradeFlags, INTERRUPTED, type ReportFlags, runGrade, runReport } from "./run/commands.ts";
import { note, words } from "./run/screen.ts";
import { leaveEverything, stopEverything } from "./run/stacks.ts";
import { printable } from "./text.ts";

const EXIT_CODE = { passed: 0, ungradable: 2 };

/** Most of the time a grading waits: for a service to start, to end, to be restarted. */
const JOBS = 2 * availableParallelism();

let interrupted = false;

/** Removes the stacks at the first Ctrl-C; leaves them at the second one. */
async function onInterrupt(): Promise<never> {
  if (interrupted) {
    leaveEverything();
  } else {
    interrupted = true;
    note(`\n${words().interrupted}`);
    await stopEverything();
  }
  process.exit(INTERRUPTED);
}

process.on("SIGINT", onInterrupt).on("SIGTERM", onInterrupt);

/** Runs a command; what it throws is told on one line. */
async function exitWith(command: Promise<number>): Promise<void> {
  try {
    process.exitCode = await command;
  } catch (error) {
    note(`error: ${printable((error as Error).message)}`);
    await stopEverything();
    process.exit(EXIT_CODE.ungradable);
  }
}

function jobs(value: string): number {
  if (!/^[1-9]\d?$/.test(value)) throw new InvalidArgumentError("a number from 1 to 99 is expected");
  return Number(value);
}

const collect = (value: string, before: readonly string[] = []) => [...before, value];

const language = () => new Option("--lang <language>", "language of the report").choices(["en", "fr"]).default("en");
const points = () => new Option("--points <file>", "a YAML file with other points: a line such as `published: 0` each");
const worksheet = () => new Option("--worksheet <file>", "Moodle's grading worksheet, to fill in as moodle.csv");

const program = new Command("grader")
  // The options after `report` are its own.
  .enablePositionalOptions()
  .description("Grades submissions of the Docker lab from outside: by their files, through Docker and over HTTP.")
  .version(version)
  .argument("[submission...]", "folders, archives (.zip, .tar.gz) and git addresses (<address>#<commit>)")
  .option("--class <folder>", "grade each folder and archive in it, for example Moodle's export, zipped or not")
  .option("--out <folder>", "keep the results, logs and reports here, and go on from them the next time")
  .option("--again <name>", "grade this submission again although it has a result; may be repeated", collect)
  .option("--jobs <number>", "how many to grade at a time", jobs, JOBS)
  .addOption(points())
  .addOption(worksheet())
  .option("--json <file>", "also write the report as JSON")
  .option("--junit <file>", "also write the report as JUnit XML")
  .option("--keep", "do not remove the containers and images afterwards; gives no advice")
  .option("--runtime <name>", "run the containers with this runtime of the engine, for example runsc (gVisor)")
  .option("--registry <host>", "the registry of the published images, instead of Docker Hub")
  .addOption(language())
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT_CODE.passed : EXIT_CODE.ungradable))
  .action((submissions: string[], flags: GradeFlags) => exitWith(runGrade(submissions, flags)));

program
  .command("report")
  .description("Writes the reports again from the results that --out has kept; needs no Docker engine.")
  .argument("<folder>", "the folder that was given as --out")
  .addOption(points())
  .addOption(worksheet())
  .addOption(language())
  .action((folder: string, flags: ReportFlags) => exitWith(runReport(folder, flags)));

program.parseAsync();
