// A crash by GET /traceback, watched from outside until the service answers again.

import { docker } from "../host/docker.ts";
import type { ServiceName } from "../lab/services.ts";
import { type Claim, claim, seconds } from "./claim.ts";
import { showCurl, showRun } from "./shell.ts";
import type { TourStack } from "./stack.ts";
import type { Scene } from "./step.ts";

/** What was seen of a crash. */
export interface CrashSeen {
  readonly service: ServiceName;
  /** What curl printed on stdout, and its exit code: 52 for a connection that was closed without a byte (curl(1)). */
  readonly reply: string;
  readonly curlCode: number;
  /** As the engine's events have it; empty if no end was seen. */
  readonly exitCode: string;
  /** What the engine counts for the container, before and after. */
  readonly restarts: readonly [number, number];
  readonly isSameContainer: boolean;
  /** How long the container did not run, by the engine's clock, in ms. */
  readonly downMs: number;
  /** From the crash to the first right answer, in ms; `undefined` if none came. */
  readonly awayMs: number | undefined;
}

/** When a service was away, by `performance.now()`. */
export interface Outage {
  readonly from: number;
  readonly to: number | undefined;
}

const BACK_TIMEOUT_MS = 30_000;
const PERIOD_MS = { answer: 25, state: 150 };
const EMPTY_REPLY = 52;

export const judgeCrash = (seen: CrashSeen): Claim[] => [
  claim(
    seen.reply === "" && seen.curlCode === EMPTY_REPLY && seen.exitCode === "1",
    "No byte of an answer came, and the process ended with exit code 1.",
    seen.reply !== ""
      ? "An answer came, and there should be none."
      : `An empty reply and exit code 1 were expected: curl's exit code was ${seen.curlCode}, the process's ${seen.exitCode || "not seen"}.`,
  ),
  claim(
    seen.isSameContainer && seen.restarts[1] === seen.restarts[0] + 1,
    `Docker started the container again ${seconds(seen.downMs)} later: restart count ${seen.restarts[0]}, then ${seen.restarts[1]}.`,
    `Docker should have restarted the same container once: restart count ${seen.restarts[0]}, then ${seen.restarts[1]}${seen.isSameContainer ? "" : ", of another container"}.`,
  ),
  claim(
    seen.awayMs !== undefined,
    `${seconds(seen.awayMs ?? 0)} after the crash ${seen.service} gave the right answer again.`,
    `${seen.service} did not give the right answer again within ${BACK_TIMEOUT_MS / 1000} s.`,
  ),
];

/** Crashes a service with curl, and shows live how it comes back. */
export async function crash({ screen, stack }: Scene, service: ServiceName): Promise<CrashSeen> {
  const before = await stack.inspect(service);
  const since = Date.now();
  const curl = await showCurl(screen, `${stack.address(service)}/traceback`);
  const outage = await untilBack(stack, service, performance.now(), (text) => screen.live(text));
  screen.settle();
  const name = await stack.container(service);
  const period = ["--since", time(since), "--until", time(Date.now())];
  const filters = ["-f", "event=die", "-f", `container=${name}`];
  const format = ["--format", "exit code {{.Actor.Attributes.exitCode}}"];
  const events = await showRun(screen, ["docker", "events", ...period, ...filters, ...format]);
  await showRun(screen, ["docker", "inspect", "--format", "restart count {{.RestartCount}}", name]);
  const after = await stack.inspect(service);
  return {
    service,
    reply: curl.stdout,
    curlCode: curl.code,
    exitCode: /^exit code (\d+)$/m.exec(events.stdout)?.[1] ?? "",
    restarts: [before.RestartCount, after.RestartCount],
    isSameContainer: before.Id === after.Id,
    downMs: Date.parse(after.State.StartedAt) - Date.parse(after.State.FinishedAt),
    awayMs: outage.to === undefined ? undefined : outage.to - outage.from,
  };
}

/** In seconds, as `docker events` takes it. */
const time = (ms: number) => (ms / 1000).toFixed(3);

/**
 * Waits until a service answers again. It is asked anew all the time, whatever the earlier requests do: one to a container
 * that is about to end may wait for a second and get no answer.
 *
 * @param from when it went, by `performance.now()`
 * @param show is given a line that says how it is going, again and again
 */
export async function untilBack(
  stack: TourStack,
  service: ServiceName,
  from: number,
  show: (text: string) => void,
): Promise<Outage> {
  const name = await stack.container(service);
  let [state, asked] = ["", 0];
  let to: number | undefined;
  const isOver = () => to !== undefined || performance.now() - from > BACK_TIMEOUT_MS;
  const showNow = () =>
    show(
      `  ${seconds((to ?? performance.now()) - from)}  container: ${state.padEnd(10)}  answer: ${to === undefined ? "none " : "right"}  asked ${asked} times`,
    );
  const watchState = async () => {
    do state = (await docker(["inspect", "--format", "{{.State.Status}}", name])).stdout.trim();
    while (!isOver() && (await Bun.sleep(PERIOD_MS.state)) === undefined);
  };
  const ask = async () => {
    if (await stack.answers(service)) to ??= performance.now();
  };
  const watching = watchState();
  for (; !isOver(); await Bun.sleep(PERIOD_MS.answer)) {
    asked++;
    void ask();
    showNow();
  }
  await watching;
  showNow();
  return { from, to };
}
