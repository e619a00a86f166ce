import { brief } from "../host/command.ts";
import { DockerError } from "../host/docker.ts";
import { adviceFor } from "./advice.ts";
import { requireEngine } from "./compose.ts";
import { markOf } from "./mark.ts";
import { withoutOwnNames } from "./own-names.ts";
import { type Advice, Blocked, type Grading, type Report, type Result, type Rule, Skipped } from "./rule.ts";
import { again, traceback } from "./rules/crash.ts";
import { tree } from "./rules/files.ts";
import { label, published } from "./rules/hub.ts";
import { network, variables } from "./rules/network.ts";
import { order } from "./rules/order.ts";
import { pid1 } from "./rules/pid1.ts";
import { backend, call, frontend, used } from "./rules/responses.ts";
import { safe } from "./rules/safe.ts";
import { up } from "./rules/up.ts";
import { watched } from "./safety/machine.ts";
import type { Stack } from "./stack.ts";
import { text } from "./text.ts";

/** All rules, in the order in which they are judged: those that stop or crash a service come last. */
export const RULES: readonly Rule[] = [
  safe,
  tree,
  up,
  label,
  published,
  order,
  variables,
  network,
  backend,
  frontend,
  call,
  used,
  pid1,
  traceback,
  again,
];

/** For all rules of one submission; the slowest that passes takes a quarter of it. */
const TOTAL_S = 1500;
const TIME_IS_UP = text(`not judged after ${TOTAL_S / 60} min`, `non évaluée après ${TOTAL_S / 60} min`);

export interface Options {
  /** The registry to use instead of Docker Hub. */
  readonly registry?: string | undefined;
  /** The rules to judge; all by default. */
  readonly rules?: readonly Rule[];
  /** Whether to give advice as well, which stops the services; `true` by default. */
  readonly advice?: boolean;
  /** Called before each rule. */
  readonly progress?: (step: number, steps: number, rule: Rule) => void;
}

/**
 * Grades a submission. The caller removes the stack, which also ends what is still going on.
 *
 * @throws {Ungradable} if the engine is gone, or the machine runs short of something
 */
export const grade = (stack: Stack, options: Options = {}): Promise<Report> =>
  watched(stack.submission.work, () => judgeAll(stack, options));

type Judged = Omit<Result, "seconds">;

async function judgeAll(stack: Stack, options: Options): Promise<Report> {
  const results: Result[] = [];
  const verdict = (id: string) => results.find(({ rule }) => rule.id === id)?.verdict;
  const { submission } = stack;
  const grading: Grading = { submission, stack, registry: options.registry, verdict, notes: {} };
  const { rules = RULES } = options;
  const end = Date.now() + TOTAL_S * 1000;
  for (const [i, rule] of rules.entries()) {
    options.progress?.(i, rules.length, rule);
    const start = Date.now();
    results.push({ ...(await judgeUntil(end, rule, grading)), seconds: (Date.now() - start) / 1000 });
  }
  const advice = verdict("up") === "pass" && options.advice !== false ? await advise(grading) : [];
  return { results, advice, mark: markOf(results) };
}

/** Judges a rule; what is not judged when the time is up is blocked. */
async function judgeUntil(end: number, rule: Rule, grading: Grading): Promise<Judged> {
  let timer: Timer | undefined;
  const timeIsUp = new Promise<Judged>((resolve) => {
    timer = setTimeout(() => resolve({ rule, verdict: "blocked", findings: [], reason: TIME_IS_UP }), end - Date.now());
    // A rule whose commands were ended never settles.
    timer.unref();
  });
  try {
    return await Promise.race([judge(rule, grading), timeIsUp]);
  } finally {
    clearTimeout(timer);
  }
}

async function judge(rule: Rule, grading: Grading): Promise<Judged> {
  try {
    // Nothing of a submission that is not safe is started, and it gets no points.
    if (rule !== safe && grading.submission.source.refusals.length > 0) throw new Blocked(safe.id);
    const missing = rule.needs.find((id) => grading.verdict(id) !== "pass");
    if (missing !== undefined) throw new Blocked(missing);
    const findings = withoutOwnNames(await rule.check(grading), grading.stack);
    const note = grading.notes[rule.id];
    return { rule, verdict: findings.length > 0 ? "fail" : "pass", findings, ...(note ? { reason: note } : {}) };
  } catch (error) {
    if (error instanceof DockerError) return notJudged(rule, error);
    if (!(error instanceof Blocked || error instanceof Skipped)) throw error;
    return { rule, verdict: error.verdict, findings: [], reason: error.reason };
  }
}

/** Trouble with one rule does not throw away the verdicts of the others, unless the engine is gone. */
async function notJudged(rule: Rule, { message }: Error): Promise<Judged> {
  await requireEngine();
  const why = brief(message);
  return {
    rule,
    verdict: "skipped",
    findings: [],
    reason: text(`could not be judged: ${why}`, `non évaluée : ${why}`),
  };
}

/** Advice carries no points, so a failure here must not fail the grading. */
async function advise(grading: Grading): Promise<Advice[]> {
  try {
    return await adviceFor(grading);
  } catch (error) {
    const message = brief((error as Error).message);
    const missing = text(`advice not available: ${message}`, `conseils indisponibles : ${message}`);
    return [{ id: "advice", met: false, text: missing }];
  }
}
