import { type Claim, claim, seconds } from "../claim.ts";
import { untilBack } from "../crash.ts";
import { showRun } from "../shell.ts";
import type { Step } from "../step.ts";

/** After a crash Docker had started it again by then. */
const STAYS_MS = 2000;
const PERIOD_MS = 100;
/** `stop_grace_period` in docker-compose.yaml: Docker kills what has not ended by then. */
const GRACE_MS = 10_000;

/** What was seen of a stop and a start. */
export interface StopSeen {
  readonly stopMs: number;
  /** After the stop, and some time later. */
  readonly status: readonly [string, string];
  readonly exitCode: number;
  /** From the start to the first right answer, in ms; `undefined` if none came. */
  readonly backMs: number | undefined;
}

export const judgeStop = ({ stopMs, status, exitCode, backMs }: StopSeen): Claim[] => [
  claim(
    status[0] === "exited" && exitCode === 0 && stopMs < GRACE_MS,
    `It stopped by itself in ${seconds(stopMs)}, with exit code 0: no crash.`,
    `It should have stopped by itself with exit code 0: it was ${status[0]} after ${seconds(stopMs)}, with exit code ${exitCode}.`,
  ),
  claim(
    status[1] === "exited",
    `${STAYS_MS / 1000} s later it was still stopped: Docker restarts what crashed, not what was stopped.`,
    `${STAYS_MS / 1000} s later it should still have been stopped, and was ${status[1]}.`,
  ),
  claim(
    backMs !== undefined,
    `Started again, it gave the right answer after ${seconds(backMs ?? 0)}.`,
    "Started again, it did not give the right answer.",
  ),
];

export const stopAndStart: Step = {
  title: "Stop and start",
  why:
    "docker stop sends SIGTERM, which process 1 has to handle by itself. The backend finishes what it is at, and ends " +
    "before Docker kills it.",
  async show({ screen, stack }) {
    const name = await stack.container("api-backend");
    const begin = performance.now();
    await showRun(screen, ["docker", "stop", name]);
    const stopMs = performance.now() - begin;
    const format = "{{.State.Status}}, exit code {{.State.ExitCode}}";
    await showRun(screen, ["docker", "inspect", "--format", format, name]);
    const { State: stopped } = await stack.inspect("api-backend");
    for (const end = performance.now() + STAYS_MS; performance.now() < end; await Bun.sleep(PERIOD_MS))
      screen.live(`  waiting: is it started again? ${seconds(end - performance.now())} left`);
    screen.live("");
    const { State: later } = await stack.inspect("api-backend");
    const restart = performance.now();
    await showRun(screen, ["docker", "start", name]);
    const { from, to } = await untilBack(stack, "api-backend", restart, (text) => screen.live(text));
    screen.settle();
    return judgeStop({
      stopMs,
      status: [stopped.Status, later.Status],
      exitCode: stopped.ExitCode,
      backMs: to === undefined ? undefined : to - from,
    });
  },
};
