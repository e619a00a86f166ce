import pRetry from "p-retry";
import { Failure } from "../service/http.ts";
import { parse } from "../service/json.ts";
import { log } from "../service/log.ts";
import type { Client, Exchange } from "./client.ts";
import { type Answer, Malformed } from "./response.ts";
import { Watch } from "./watch.ts";

/** Milliseconds that one call may take in all; the drain of a stopping frontend is longer. */
export const BUDGET_MS = 5000;

/** Calls that may wait at a time, so that their memory is bounded: a restart of the backend at 1,000 requests/s. */
export const MAX_WAITING = 2048;

/** Milliseconds of silence that are met with one more attempt: connections to a killed container never reset. */
const OVERDUE_MS = 1000;

/** From an attempt that failed to the next: milliseconds, doubled each time, and spread over the calls that wait. */
const RETRY = { retries: Number.POSITIVE_INFINITY, minTimeout: 25, maxTimeout: 200, randomize: true };

/** What the client reads for each way a connection fails. */
const CAUSES: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed before the answer was complete",
  ENOTFOUND: "host name not found",
};

const NEVER = new Promise<never>(() => {});

let waiting = 0;

/**
 * `GET`s the backend and gives the JSON value that it answers. While it cannot be reached the call waits and tries
 * again within its budget (milliseconds), so that a restart of the backend is not seen.
 *
 * @throws {Failure} 502 where the backend cannot be reached or its answer is no use, 504 where it stays silent, 503
 * at once where too many calls wait already
 */
export async function askBackend(client: Client, budget = BUDGET_MS): Promise<unknown> {
  if (waiting === MAX_WAITING) throw new Failure(503, "too many requests wait for the backend", { "retry-after": "1" });
  waiting++;
  const start = performance.now();
  try {
    return read(await answerOf(client, start, budget));
  } catch (thrown) {
    const error = thrown instanceof Malformed ? failed(502, `: ${thrown.message}`) : thrown;
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

const watch = new Watch<Exchange>(OVERDUE_MS, (exchange) => exchange.overdue());

/** Nearly always the first attempt's answer. */
async function answerOf(client: Client, start: number, budget: number): Promise<Answer> {
  const first = client.get();
  watch.add(first, start);
  try {
    const answer = await first.answer;
    if (answer !== undefined) return answer;
  } catch (error) {
    if (error instanceof Malformed) throw error;
  } finally {
    watch.delete(first);
  }
  return persist(client, start, budget, first);
}

/**
 * The first answer to come: from one line of attempts, or from another that joins it at each second of silence.
 * `first` has failed, or used up the first second.
 */
async function persist(client: Client, start: number, budget: number, first: Exchange): Promise<Answer> {
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
  // Should it fail after all, the others go on without it.
  if (first.late !== undefined)
    join(first.late.catch((error) => (error instanceof Malformed ? Promise.reject(error) : NEVER)));
  client.closeIdle();
  try {
    while (left() > 0) {
      // A line that meets errors tries again by itself.
      if (isSilent()) join(attempts());
      const answer = await Promise.race([...lines, Bun.sleep(Math.min(left(), OVERDUE_MS))]);
      if (answer !== undefined) return answer;
    }
  } finally {
    call.abort();
    first.cancel();
  }
  throw isSilent() ? failed(504, `: no answer within ${budget / 1000} s`) : failed(502, `: ${trouble.cause}`);
}

function attempt(client: Client, signal: AbortSignal): Promise<Answer> {
  const exchange = client.get();
  signal.addEventListener("abort", () => exchange.cancel());
  // Nobody watches it.
  return exchange.answer as Promise<Answer>;
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
