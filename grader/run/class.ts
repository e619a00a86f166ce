import pLimit from "p-limit";
import { type Graded, isGraded } from "../graded.ts";
import type { Source } from "../sources/source.ts";
import { gradeSource } from "./one.ts";
import { Progress } from "./progress.ts";
import type { Results } from "./results.ts";
import type { Settings } from "./settings.ts";
import { removeAbandoned } from "./stacks.ts";

export interface ClassOptions {
  /** Where the results are kept, and earlier ones are. */
  readonly results: Results | undefined;
  /** Those that are graded again although they have a result, by id. */
  readonly again: ReadonlySet<string>;
  /** Called for each submission as soon as it is graded, or could not be. */
  readonly onGraded: (graded: Graded, isKnown: boolean, status: string) => void;
}

/**
 * Grades several submissions at a time. What could not be graded because of a trouble that may be over by then is tried
 * again at the end, alone.
 *
 * @throws {Error} if a result cannot be written
 */
export async function gradeAll(
  sources: readonly Source[],
  settings: Settings,
  { results, again, onGraded }: ClassOptions,
): Promise<Graded[]> {
  const rows = new Map<string, Graded>();
  const later: Source[] = [];
  const progress = new Progress(sources.length, settings.jobs, settings.language);
  for (const { student } of sources) results?.expect(student);

  async function gradeOne(source: Source, isLast: boolean): Promise<void> {
    const { student } = source;
    const known = again.has(student.id) ? undefined : results?.read(student.id);
    progress.start(student);
    const attempt = await gradeSource(source, settings, known, (...at) => progress.step(student, ...at));
    const { graded, isKnown, logs } = attempt;
    rows.set(student.id, graded);
    results?.write(graded, isKnown ? undefined : logs);
    const comesAgain = attempt.passes && !isLast;
    if (comesAgain) later.push(source);
    const seconds = isKnown || !isGraded(graded) ? undefined : graded.seconds;
    progress.end(student, { isGraded: isGraded(graded), seconds, comesAgain });
    onGraded(graded, isKnown, progress.status());
  }

  const limit = pLimit(settings.jobs);
  try {
    await Promise.all(sources.map((source) => limit(() => gradeOne(source, sources.length === 1))));
    // A registry's limit, a full disk or an engine that was away may be over by now.
    for (const source of later) await gradeOne(source, true);
    await removeAbandoned();
  } finally {
    limit.clearQueue();
    progress.stop();
  }
  return sources.flatMap(({ student }) => rows.get(student.id) ?? []);
}
