import { brief } from "../host/command.ts";
import { adviceOf } from "./advice.ts";
import type { Advice, Case, Report, Result, Rule } from "./rule.ts";
import { Moot, Skip } from "./rule.ts";
import { backend, call, frontend, used } from "./rules/answers.ts";
import { network, order, up, variables } from "./rules/compose.ts";
import { label, published, tree } from "./rules/files.ts";
import { again, pid1, traceback } from "./rules/process.ts";
import type { Stack } from "./stack.ts";
import { text } from "./text.ts";

/** All rules, in the order in which they are judged: what stops or crashes a service comes last. */
export const RULES: readonly Rule[] = [
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

const FULL = 20;

export interface Options {
  readonly registry?: string | undefined;
  /** Those that are judged; all unless told otherwise. */
  readonly rules?: readonly Rule[];
  /** Whether advice is given as well, for which the services are stopped; it is unless told otherwise. */
  readonly advice?: boolean;
  /** Told before each step. */
  readonly progress?: (step: number, steps: number, rule: Rule | undefined) => void;
}

/** Grades a submission by its stack, which is the caller's to remove. */
export async function grade(stack: Stack, options: Options = {}): Promise<Report> {
  const results: Result[] = [];
  const passed = (id: string) => results.some(({ rule, verdict }) => rule.id === id && verdict === "pass");
  const { submission } = stack;
  const graded: Case = { submission, stack, registry: options.registry, passed, crashes: {}, notes: {} };
  const { rules = RULES } = options;
  for (const [i, rule] of rules.entries()) {
    options.progress?.(i, rules.length, rule);
    results.push(await judge(rule, graded));
  }
  options.progress?.(rules.length, rules.length, undefined);
  const advice = passed("up") && options.advice !== false ? await advise(graded) : [];
  return { folder: submission.name, results, advice, mark: markOf(results) };
}

async function judge(rule: Rule, graded: Case): Promise<Result> {
  const missing = rule.needs.find((id) => !graded.passed(id));
  if (missing !== undefined) return moot(rule, missing);
  try {
    const findings = await rule.check(graded);
    const note = graded.notes[rule.id];
    return {
      rule,
      verdict: findings.length > 0 ? "fail" : "pass",
      findings,
      counts: true,
      ...(note ? { reason: note } : {}),
    };
  } catch (error) {
    if (error instanceof Skip) return { rule, verdict: "skipped", findings: [], reason: error.reason, counts: false };
    if (error instanceof Moot) return moot(rule, error.rule);
    throw error;
  }
}

const moot = (rule: Rule, needed: string): Result => ({
  rule,
  verdict: "skipped",
  findings: [],
  reason: text(
    `cannot be judged: the rule ${needed} has not passed`,
    `ne peut être jugée : la règle ${needed} n'est pas passée`,
  ),
  counts: true,
});

/** Advice is no reason to lose a grading. */
async function advise(graded: Case): Promise<Advice[]> {
  try {
    return await adviceOf(graded);
  } catch (error) {
    const message = brief((error as Error).message);
    return [
      { id: "advice", good: false, text: text(`no more advice: ${message}`, `pas d'autre conseil : ${message}`) },
    ];
  }
}

/** Out of 20; what this machine could not judge is left out. */
function markOf(results: readonly Result[]): number {
  const sum = (of: readonly Result[]) => of.reduce((points, { rule }) => points + rule.points, 0);
  const counted = results.filter(({ counts }) => counts);
  const won = counted.filter(({ verdict }) => verdict === "pass");
  return Math.round((sum(won) / sum(counted)) * FULL * 10) / 10;
}
