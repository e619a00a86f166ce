import { mkdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { requireRuntime } from "../compose.ts";
import { Ungradable } from "../errors.ts";
import { grade, type Options } from "../grade.ts";
import type { Graded, WithReport } from "../graded.ts";
import { withPoints } from "../points.ts";
import { requireReach } from "../reach.ts";
import { watchedOn } from "../safety/machine.ts";
import { requireOne } from "../sources/root.ts";
import type { Source } from "../sources/source.ts";
import { Stack } from "../stack.ts";
import { type Copy, copyInto, readSubmission } from "../submission.ts";
import { printable } from "../text.ts";
import { createWorkFolder, removeWorkFolder } from "../work-folder.ts";
import { awaitEngine } from "./engine.ts";
import type { Settings } from "./settings.ts";
import { keep, removeAbandoned, removeStack, track } from "./stacks.ts";

type Step = NonNullable<Options["progress"]>;

/** What came of grading one submission. */
export interface Attempt {
  readonly graded: Graded;
  /** Whether it is an earlier result, because the submission is still the same. */
  readonly isKnown: boolean;
  /** Whether it could not be graded, but perhaps can later. */
  readonly passes: boolean;
  readonly logs: ReadonlyMap<string, string>;
}

/**
 * Grades a submission, unless its earlier result is still right. Never throws: what cannot be graded says why.
 *
 * @param known the earlier result, if there is one
 * @param step called before each rule
 */
export async function gradeSource(
  source: Source,
  settings: Settings,
  known: WithReport | undefined,
  step: Step,
): Promise<Attempt> {
  const start = Date.now();
  const logs = new Map<string, string>();
  const facts = () => ({
    ...source.student,
    date: new Date(start).toISOString(),
    seconds: Math.round((Date.now() - start) / 100) / 10,
  });
  try {
    const copy = await copyOf(source);
    if (known?.digest === copy.digest) {
      await removeWorkFolder(copy.work);
      return {
        graded: { ...known, ...source.student, report: withPoints(known.report, settings.points) },
        isKnown: true,
        passes: false,
        logs,
      };
    }
    const report = await gradeCopy(copy, settings, step, logs);
    const graded = { ...facts(), digest: copy.digest, report: withPoints(report, settings.points) };
    return { graded, isKnown: false, passes: false, logs };
  } catch (error) {
    const { name } = source.student;
    const { message: said } = error as Error;
    const message = printable(said.startsWith(name) ? said : `${name}: ${said}`);
    return { graded: { ...facts(), error: message }, isKnown: false, passes: mayPass(error as Error), logs };
  }
}

/** Brings a submission here, and copies it to a work folder. */
async function copyOf({ student, origin, open }: Source): Promise<Copy> {
  const work = createWorkFolder();
  const end = new AbortController();
  try {
    const original = join(work, "original");
    mkdirSync(original);
    const folder = await watchedOn([work], () => open(original, end.signal));
    requireOne(folder, origin);
    const copy = await copyInto(work, student.name, folder);
    await rm(original, { recursive: true });
    return copy;
  } catch (error) {
    end.abort();
    await removeWorkFolder(work);
    throw error;
  }
}

/** @param logs is given what the stack has printed */
async function gradeCopy(copy: Copy, settings: Settings, step: Step, logs: Map<string, string>) {
  const { registry, runtime } = settings;
  const stack = await prepare(copy, runtime);
  track(stack);
  try {
    return await grade(stack, { advice: !settings.keep, registry, progress: step });
  } finally {
    await stack.collectLogs().catch(() => {});
    for (const [name, words] of stack.logs) logs.set(name, words);
    if (settings.keep) keep(stack);
    else await removeStack(stack);
  }
}

async function prepare(copy: Copy, runtime: string | undefined): Promise<Stack> {
  try {
    await awaitEngine();
    await removeAbandoned();
    await requireReach();
    if (runtime !== undefined) await requireRuntime(runtime);
    return await Stack.prepare(await readSubmission(copy), runtime);
  } catch (error) {
    await removeWorkFolder(copy.work);
    throw error;
  }
}

const mayPass = (error: Error): boolean =>
  error instanceof Ungradable ? error.passes : (error as NodeJS.ErrnoException).code === "ENOSPC";
