// Whatever some of the backend's addresses do: as long as one works, every call is answered.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Behavior, behaviors, type LoopbackServer, startServers } from "../testing/loopback-servers.ts";
import { Backend, BUDGET_MS } from "./backend.ts";

const STEP_MS = 150;

/** What happens to one server, and to its address. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ server: fc.nat(2), behavior: fc.constantFrom(...behaviors) }) },
  { weight: 1, arbitrary: fc.record({ server: fc.nat(2), isRunning: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ server: fc.nat(2), hasAddress: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ nameServerIsAway: fc.boolean() }) },
);

type Step = Partial<{
  server: number;
  behavior: Behavior;
  isRunning: boolean;
  hasAddress: boolean;
  nameServerIsAway: boolean;
}>;

const scenario = fc.record({
  others: fc.integer({ min: 1, max: 3 }),
  healthy: fc.constantFrom<Behavior>("answers", "answers and closes"),
  /** Calls made together. */
  burst: fc.constantFrom(1, 4, 20),
  steps: fc.array(fc.array(step, { maxLength: 4 }), { minLength: 10, maxLength: 10 }),
});

type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

async function take(
  { server, behavior, isRunning, hasAddress }: Step,
  others: readonly LoopbackServer[],
  removed: Set<LoopbackServer>,
): Promise<void> {
  const other = others[server ?? 0];
  if (other === undefined) return;
  if (behavior !== undefined) other.behavior = behavior;
  if (isRunning !== undefined) other.stop();
  if (isRunning) await other.start();
  if (hasAddress === false) removed.add(other);
  if (hasAddress === true) removed.delete(other);
}

/** What the calls came to that were not answered, or too late. */
async function run({ others: count, healthy, burst, steps }: Scenario): Promise<unknown[]> {
  const servers = await startServers(count + 1);
  const [first, ...others] = servers as [LoopbackServer, ...LoopbackServer[]];
  first.behavior = healthy;
  const removed = new Set<LoopbackServer>();
  let isAway = false;
  const backend = new Backend("backend", first.port, async () => {
    if (isAway) throw new Error("SERVFAIL");
    return servers.filter((server) => !removed.has(server)).map(({ address }) => address);
  });
  const calls: Promise<unknown>[] = [];
  const call = async () => {
    const start = performance.now();
    const outcome = await backend.get({ signal: new AbortController().signal }).catch(({ message }) => message);
    const ms = performance.now() - start;
    return ms > BUDGET_MS ? `${outcome} after ${ms} ms` : outcome;
  };
  await call();
  for (const changes of steps) {
    for (const change of changes as Step[]) {
      isAway = change.nameServerIsAway ?? isAway;
      await take(change, others, removed);
    }
    for (let at = 0; at < STEP_MS; at += STEP_MS / 5) {
      for (let i = 0; i < burst; i++) calls.push(call());
      await Bun.sleep(STEP_MS / 5);
    }
  }
  const outcomes = await Promise.all(calls);
  for (const server of servers) server.stop();
  expect(backend.figures.waiting).toBe(0);
  return outcomes.filter((outcome) => outcome !== 1);
}

test("every call is answered within its budget as long as one address works", async () => {
  const scenarios = fc.sample(scenario, { numRuns: 20, seed: 16 });
  const failures = await Promise.all(scenarios.map(run));
  expect(failures.map((failed, i) => ({ failed, ...scenarios[i] })).filter(({ failed }) => failed.length > 0)).toEqual(
    [],
  );
});
