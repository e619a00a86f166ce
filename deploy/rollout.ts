// Waits until a stack runs as it was told to, and says how far it is.

import type { Interrupt } from "../host/interrupt.ts";
import { Refusal } from "../host/refusal.ts";
import { type Node, nodes, type Service, services, type Task, tasksOf, working } from "./cluster.ts";
import { explain, failed, failsAgain, homeless, type Progress, progressOf } from "./progress.ts";

/** How a rollout ended. */
export interface Outcome {
  readonly ended: "converged" | "failed" | "interrupted";
  /** What went wrong, one line each. */
  readonly reasons: readonly string[];
}

const POLL_MS = 1000;

/** Tasks that fail as often, one after the other, will not run. */
const ATTEMPTS = 3;

/** Swarm may find a node for a task a moment later: one that was drained comes back, one that is down is given up. */
const HOMELESS_MS = 20_000;

/** Nodes may have to download images. */
const TIMEOUT_MS = 10 * 60_000;

/** What Swarm reports of an update that it has given up. */
const GIVEN_UP = new Set(["rollback_started", "rollback_completed", "rollback_paused", "paused"]);

/** A stack at one moment. */
export interface Snapshot {
  readonly services: readonly Service[];
  readonly tasks: readonly Task[];
  readonly nodes: readonly Node[];
  readonly progress: readonly Progress[];
}

export async function snapshot(stack: string): Promise<Snapshot> {
  const [found, tasks, all] = await Promise.all([services(stack), tasksOf(stack), nodes()]);
  const takers = working(all);
  return { services: found, tasks, nodes: all, progress: found.map((service) => progressOf(service, tasks, takers)) };
}

/** Managers do not answer while they elect a leader. */
const ELECTION_MS = 60_000;

/** @throws {Refusal} the last one, if all attempts in this time are refused */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + ELECTION_MS; ; await Bun.sleep(POLL_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Refusal) || performance.now() > end) throw error;
    }
  }
}

/** Tells the progress, whenever it changes. */
function teller(say: (line: string) => void) {
  let last = "";
  return (progress: readonly Progress[]) => {
    const parts = progress.map(({ name, running, wanted, update }) => {
      const going = update.startsWith("rollback") ? " (going back)" : "";
      return `${name} ${running}/${wanted} tasks running${going}`;
    });
    const line = parts.toSorted().join(", ");
    if (line !== last && line !== "") say(line);
    last = line;
  };
}

/**
 * Follows a rollout to its end.
 *
 * @param known the ids of tasks that were there before
 */
export async function follow(
  stack: string,
  known: ReadonlySet<string>,
  interrupt: Interrupt,
  say: (line: string) => void,
): Promise<Outcome> {
  const tell = teller(say);
  const end = performance.now() + TIMEOUT_MS;
  let hadHome = performance.now();
  for (;;) {
    // At once, Swarm has not begun with an update yet.
    await Bun.sleep(POLL_MS);
    const now = await patiently(() => snapshot(stack));
    tell(now.progress);
    const fresh = now.tasks.filter(({ ID }) => !known.has(ID));
    const reasons = () => explain([...failed(fresh), ...homeless(fresh)], now.services, now.nodes);
    if (interrupt.signal !== undefined) return { ended: "interrupted", reasons: reasons() };
    if (now.progress.some(({ update }) => GIVEN_UP.has(update))) return { ended: "failed", reasons: reasons() };
    if (now.progress.every(({ isSettled }) => isSettled)) return { ended: "converged", reasons: [] };
    if (failsAgain(fresh, ATTEMPTS)) return { ended: "failed", reasons: reasons() };
    if (homeless(now.tasks).length === 0) hadHome = performance.now();
    if (performance.now() - hadHome > HOMELESS_MS) return { ended: "failed", reasons: reasons() };
    if (performance.now() > end)
      return { ended: "failed", reasons: [...reasons(), `not done after ${TIMEOUT_MS / 60_000} minutes`] };
  }
}

/** Waits until all services run what they ran before. The answer is whether they do. */
export async function followBack(stack: string, say: (line: string) => void): Promise<boolean> {
  const tell = teller(say);
  for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; await Bun.sleep(POLL_MS)) {
    const { progress } = await patiently(() => snapshot(stack));
    tell(progress);
    if (progress.some(({ update }) => update.endsWith("paused"))) return false;
    if (progress.every(({ isSettled }) => isSettled)) return true;
  }
  return false;
}
