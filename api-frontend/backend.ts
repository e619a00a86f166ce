import pRetry from "p-retry";
import { type Answer, Malformed, Overloaded } from "../http-client/answers.ts";
import type { Client } from "../http-client/client.ts";
import { Failure } from "../service/http.ts";
import { parse } from "../service/json.ts";
import { log } from "../service/log.ts";
import { Attempt, type Outcome, OVERDUE_MS, unwatch, watch } from "./attempt.ts";

/** Milliseconds that one call may take in all; the drain of a stopping frontend is longer. */
export const BUDGET_MS = 5000;

/** Calls that may wait at a time, so that their memory is bounded: a restart of the backend at 1,000 requests/s. */
export const MAX_WAITING = 2048;

/** From an attempt that failed to the next: milliseconds, doubled each time, and spread over the calls that wait. */
const RETRY = { retries: Number.POSITIVE_INFINITY, minTimeout: 25, maxTimeout: 200, randomize: true };

/** What the client reads for each way a connection fails. */
const CAUSES: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed before the answer was complete",
  ENOTFOUND: "host name not found",
};

type Asker = Pick<Request, "signal">;

let waiting = 0;

/**
 * `GET`s the backend and gives the JSON value that it answers. While it cannot be reached the call waits and tries
 * again within its budget (milliseconds), so that a restart of the backend is not seen.
 *
 * @param asker the request that is answered with it: once its client has left, the call ends
 * @throws {Failure} 502 where the backend cannot be reached or its answer is no use, 504 where it stays silent, 503
 * at once where too many calls wait already
 */
export async function askBackend(client: Client, asker: Asker, budget = BUDGET_MS): Promise<unknown> {
  if (waiting === MAX_WAITING) throw overloaded("too many requests wait for the backend");
  waiting++;
  const start = performance.now();
  const first = new Attempt();
  try {
    client.get(first);
    watch(first, start);
    const outcome = await first.outcome;
    unwatch(first);
    // Nearly always an answer has come in time.
    const isPending = outcome === undefined || isFailure(outcome);
    return read(isPending ? await persist(client, asker, start, budget, first) : answerOf(outcome));
  } catch (thrown) {
    const error = failureOf(thrown);
    if (error instanceof Failure) {
      const ms = Math.round(performance.now() - start);
      log("warn", "backend_call_failed", { url: client.url, status: error.status, error: error.message, ms });
    }
    throw error;
  } finally {
    waiting--;
  }
}

const failed = (status: number, why: string) => new Failure(status, `GET / on backend API${why}`);
const overloaded = (why: string) => new Failure(503, why, { "retry-after": "1" });

function failureOf(thrown: unknown): unknown {
  if (thrown instanceof Malformed) return failed(502, `: ${thrown.message}`);
  if (thrown instanceof Overloaded) return overloaded(thrown.message);
  return thrown;
}

/**
 * The first answer to come: from one line of attempts, or from another that joins it at each second of silence.
 * `first` has failed, or used up the first second.
 */
async function persist(client: Client, asker: Asker, start: number, budget: number, first: Attempt): Promise<Answer> {
  const left = () => start + budget - performance.now();
  const call = new AbortController();
  let trouble = { cause: "", at: Number.NEGATIVE_INFINITY };
  const isSilent = () => performance.now() - trouble.at >= OVERDUE_MS;
  const attempts = () =>
    pRetry(() => attempt(client, call.signal), {
      ...RETRY,
      signal: call.signal,
      shouldRetry: ({ error }) => !(error instanceof Malformed),
      onFailedAttempt: ({ error }) => {
        // That is no trouble of the connection's.
        if (error instanceof Overloaded) return;
        const cause = CAUSES[(error as NodeJS.ErrnoException).code ?? ""] ?? "connection failed";
        trouble = { cause, at: performance.now() };
      },
    });
  const lines: Promise<Answer>[] = [];
  const join = (line: Promise<Answer>) => {
    // Those that are left behind fail when the call ends, and nobody is there to see it.
    line.catch(() => {});
    lines.push(line);
  };
  // Should it fail after all, the others go on without it. Not one promise for all calls: it would keep what each of
  // them hangs on it, for ever.
  const never = new Promise<never>(() => {});
  if (first.late !== undefined) join(first.late.then((outcome) => (isFailure(outcome) ? never : answerOf(outcome))));
  client.closeIdle();
  // Asked for no earlier than here: to make one takes longer than most requests.
  const { signal } = asker;
  const gone = Promise.withResolvers<undefined>();
  signal.addEventListener("abort", () => gone.resolve(undefined));
  try {
    while (left() > 0 && !signal.aborted) {
      // A line that meets errors tries again by itself.
      if (isSilent()) join(attempts());
      const answer = await Promise.race([...lines, gone.promise, Bun.sleep(Math.min(left(), OVERDUE_MS))]);
      if (answer !== undefined) return answer;
    }
  } finally {
    call.abort();
    first.cancel();
  }
  // nginx's code for it; it reaches the log alone.
  if (signal.aborted) throw new Failure(499, "the client has left");
  throw isSilent() ? failed(504, `: no answer within ${budget / 1000} s`) : failed(502, `: ${trouble.cause}`);
}

async function attempt(client: Client, signal: AbortSignal): Promise<Answer> {
  const next = new Attempt();
  client.get(next);
  signal.addEventListener("abort", () => next.cancel());
  // Nobody watches it.
  return answerOf((await next.outcome) as Outcome);
}

/** Whether another attempt may do better. */
const isFailure = (outcome: Outcome): boolean =>
  outcome instanceof Error && !(outcome instanceof Malformed) && !(outcome instanceof Overloaded);

function answerOf(outcome: Outcome): Answer {
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function read({ status, body }: Answer): unknown {
  if (status !== 200) throw failed(502, ` ${status}`);
  if (body === undefined) throw failed(502, ": the answer is larger than 1 MiB");
  try {
    return parse(utf8.decode(body));
  } catch {
    throw failed(502, ": the answer is not JSON");
  }
}
