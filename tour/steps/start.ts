import { docker } from "../../host/docker.ts";
import { PORT, SERVICES, type ServiceName } from "../../lab/services.ts";
import { type Claim, claim } from "../claim.ts";
import { shown, showRun } from "../shell.ts";
import type { TourStack } from "../stack.ts";
import type { Scene, Step } from "../step.ts";

/** A health check is another process for a moment. */
const ALONE_TIMEOUT_MS = 5000;

/** What was seen of a container. */
export interface ProcessSeen {
  readonly service: ServiceName;
  /** The ids of its processes on the machine, and that of its process 1. */
  readonly pids: readonly number[];
  readonly first: number;
}

export const judgeProcess = ({ service, pids, first }: ProcessSeen): Claim =>
  claim(
    pids.length === 1 && pids[0] === first,
    `${service} is process 1 of its container, and the only one: ${first} is its number on this machine.`,
    `${service} is not the only process of its container: ${pids.length} were seen.`,
  );

async function processes(stack: TourStack, service: ServiceName, top: string): Promise<ProcessSeen> {
  const pids = top.split("\n").slice(1).filter(Boolean).map(Number.parseFloat);
  return { service, pids, first: (await stack.inspect(service)).State.Pid };
}

export const start: Step = {
  title: "Both services start",
  why:
    "Docker Compose builds two images and starts a container of each: api-backend, and once it is healthy api-frontend. " +
    "This stack is the tour's own, beside yours, and is removed at the end.",
  isNeeded: true,
  async show({ screen, stack }) {
    screen.command(shown(makeUp(stack)));
    const begin = performance.now();
    const { code, stderr } = await screen.progress("reading the configuration", (stage) => stack.up(lastInfo(stage)));
    const took = performance.now() - begin;
    if (code !== 0) {
      screen.output(stderr.trim().split("\n").slice(-12).join("\n"));
      return [claim(false, "", `The stack did not start: exit code ${code}.`)];
    }
    const started = claim(true, `Both were built, started and healthy after ${Math.round(took / 1000)} s.`, "");
    return [started, ...(await showProcesses({ screen, stack }))];
  },
};

/** The command that starts the same stack. */
const makeUp = ({ name, ports }: TourStack): string[] => [
  "make",
  "up",
  `COMPOSE_PROJECT_NAME=${name}`,
  ...(ports["api-frontend"] === PORT["api-frontend"] ? [] : [`FRONTEND_PORT=${ports["api-frontend"]}`]),
  ...(ports["api-backend"] === PORT["api-backend"] ? [] : [`BACKEND_PORT=${ports["api-backend"]}`]),
];

/** Passes on the progress lines of a script. */
const lastInfo = (stage: (name: string) => void) => (text: string) => {
  const info = text.match(/^==> .+$/gm)?.at(-1);
  if (info !== undefined) stage(info.replace("==> ", ""));
};

async function showProcesses({ screen, stack }: Pick<Scene, "screen" | "stack">): Promise<Claim[]> {
  const claims: Claim[] = [];
  for (const service of SERVICES) {
    await untilAlone(stack, service);
    const { stdout } = await showRun(screen, ["docker", "top", await stack.container(service), "-o", "pid,args"]);
    claims.push(judgeProcess(await processes(stack, service, stdout)));
  }
  return claims;
}

async function untilAlone(stack: TourStack, service: ServiceName): Promise<void> {
  for (const end = performance.now() + ALONE_TIMEOUT_MS; performance.now() < end; await Bun.sleep(50)) {
    const { stdout } = await docker(["top", await stack.container(service), "-o", "pid"]);
    if (judgeProcess(await processes(stack, service, stdout)).holds) return;
  }
}
