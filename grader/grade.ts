import { brief } from "../host/command.ts";
import { adviceFor } from "./advice.ts";
import { markOf } from "./mark.ts";
import { type Advice, Blocked, type Grading, type Report, type Result, type Rule, Skipped } from "./rule.ts";
import { network, order, up, variables } from "./rules/compose.ts";
import { tree } from "./rules/files.ts";
import { label, published } from "./rules/hub.ts";
import { again, pid1, traceback } from "./rules/process.ts";
import { backend, call, frontend, used } from "./rules/responses.ts";
import type { Stack } from "./stack.ts";
import { text } from "./text.ts";

/** All rules, in the order in which they are judged: those that stop or crash a service come last. */
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

export interface Options {
  /** The registry to use instead of Docker Hub. */
  readonly registry?: string | undefined;
  /** The rules to judge; all by default. */
  readonly rules?: readonly Rule[];
  /** Whether to give advice as well, which stops the services; `true` by default. */
  readonly advice?: boolean;
  /** Called before each rule, and without one at the end. */
  readonly progress?: (step: number, steps: number, rule: Rule | undefined) => void;
}

/** Grades a submission. The caller removes the stack. */
export async function grade(stack: Stack, options: Options = {}): Promise<Report> {
  const results: Result[] = [];
  const verdict = (id: string) => results.find(({ rule }) => rule.id === id)?.verdict;
  const { submission } = stack;
  const grading: Grading = { submission, stack, registry: options.registry, verdict, notes: {} };
  const { rules = RULES } = options;
  for (const [i, rule] of rules.entries()) {
    options.progress?.(i, rules.length, rule);
    results.push(await judge(rule, grading));
  }
  options.progress?.(rules.length, rules.length, undefined);
  const advice = verdict("up") === "pass" && options.advice !== false ? await advise(grading) : [];
  return { folder: submission.name, results, advice, mark: markOf(results) };
}

async function judge(rule: Rule, grading: Grading): Promise<Result> {
  try {
    const missing = rule.needs.find((id) => grading.verdict(id) !== "pass");
    if (missing !== undefined) throw new Blocked(missing);
    const findings = await rule.check(grading);
    const note = grading.notes[rule.id];
    return { rule, verdict: findings.length > 0 ? "fail" : "pass", findings, ...(note ? { reason: note } : {}) };
  } catch (error) {
    if (!(error instanceof Blocked || error instanceof Skipped)) throw error;
    return { rule, verdict: error.verdict, findings: [], reason: error.reason };
  }
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
