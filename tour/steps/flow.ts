import { count, LoadClient, type Sample, slowest } from "../../host/load.ts";
import { BODY } from "../../lab/services.ts";
import { type Claim, claim, seconds } from "../claim.ts";
import { type Outage, untilBack } from "../crash.ts";
import { showCurl } from "../shell.ts";
import type { Scene, Step } from "../step.ts";

/** Requests a second, and for how many seconds. */
const RATE = 200;
const SECONDS = 6;
const CRASH_AFTER_MS = 1500;
const PERIOD_MS = 50;

/** What was seen of requests to the frontend while the backend crashed. */
export interface FlowSeen {
  readonly samples: readonly Pick<Sample, "at" | "ms" | "outcome">[];
  readonly outage: Outage;
  /** What the engine counts for the backend's container, before and after. */
  readonly restarts: readonly [number, number];
}

/** Counts its requests while it is at them. */
class CountingClient extends LoadClient {
  sent = 0;
  readonly samples: Sample[] = [];

  override async request(): Promise<Sample> {
    this.sent++;
    const sample = await super.request();
    this.samples.push(sample);
    return sample;
  }
}

export function judgeFlow({ samples, outage: { from, to = Number.POSITIVE_INFINITY }, restarts }: FlowSeen): Claim[] {
  const all = samples as readonly Sample[];
  const [right, meanwhile] = [count(all, "expected"), all.filter(({ at }) => at >= from && at < to)];
  const lost = all.length - right;
  return [
    claim(
      restarts[1] === restarts[0] + 1 && meanwhile.length > 0,
      `The backend was away for ${seconds(to - from)}, and ${meanwhile.length} requests came meanwhile.`,
      `The backend should have crashed once under requests: restart count ${restarts[0]}, then ${restarts[1]}; ${meanwhile.length} requests came meanwhile.`,
    ),
    claim(
      all.length > 0 && lost === 0,
      `None was lost: ${right} of ${all.length} answers are right, byte for byte.`,
      `${lost} of ${all.length} requests did not get the right answer${kinds(all)}.`,
    ),
    claim(
      all.length > 0,
      `The slowest took ${seconds(slowest(all))}: the frontend asks again until the backend is back.`,
      "No request was sent.",
    ),
  ];
}

/** What the answers were that are not right: `: 3 closed, 1 wrong`. */
function kinds(samples: readonly Sample[]): string {
  const wrong = [...new Set(samples.map(({ outcome }) => outcome))].filter((outcome) => outcome !== "expected");
  return wrong.length === 0 ? "" : `: ${wrong.map((outcome) => `${count(samples, outcome)} ${outcome}`).join(", ")}`;
}

function countsLine(client: CountingClient): string {
  const { sent, samples } = client;
  const right = count(samples, "expected");
  const lost = samples.length - right;
  const slow = samples.length > 0 ? seconds(slowest(samples)) : "";
  return `  sent ${sent}  right ${right}  waiting ${sent - samples.length}  lost ${lost}  slowest ${slow}`;
}

/** Sends requests, crashes the backend in the middle, and waits for all answers. */
async function runFlow({ screen, stack }: Scene, client: CountingClient): Promise<Outage> {
  const show = () => screen.live(countsLine(client));
  const timer = setInterval(show, PERIOD_MS);
  try {
    const load = client.load(RATE, SECONDS);
    await Bun.sleep(CRASH_AFTER_MS);
    await showCurl(screen, `${stack.address("api-backend")}/traceback`);
    const outage = await untilBack(stack, "api-backend", performance.now(), () => {});
    await load;
    return outage;
  } finally {
    clearInterval(timer);
    show();
    screen.settle();
  }
}

export const flow: Step = {
  title: "Requests are under way, and the backend dies",
  why:
    `A client sends ${RATE} requests a second to the frontend for ${SECONDS} s and compares every answer. In the middle ` +
    "the backend crashes. The frontend keeps its requests and asks again for up to 5 s.",
  async show(scene) {
    const { stack } = scene;
    const before = (await stack.inspect("api-backend")).RestartCount;
    const client = new CountingClient(
      stack.ports["api-frontend"],
      (status, body) => status === 200 && body === BODY["api-frontend"],
    );
    const outage = await runFlow(scene, client);
    client.close();
    const after = (await stack.inspect("api-backend")).RestartCount;
    return judgeFlow({ samples: client.samples, outage, restarts: [before, after] });
  },
};
