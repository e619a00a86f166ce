import { type ClientFigures, HttpClient } from "../http-client/client.ts";
import { CapacityError, ProtocolError, TooLargeError } from "../http-client/errors.ts";
import type { Lookup } from "../http-client/resolver.ts";
import { Failure } from "../service/http.ts";
import { parse } from "../service/json.ts";
import { log } from "../service/log.ts";
import { Counter, Histogram } from "../service/metrics.ts";
import { Call } from "./call.ts";
import { failed } from "./retries.ts";

/** Milliseconds that one call may take in all; shorter than the drain of a stopping frontend. */
export const BUDGET_MS = 5000;

/** Calls in progress at a time, so that their memory is bounded: those of 2 s at 1,000 requests per second. */
export const MAX_CALLS = 2048;

/** Milliseconds by which deadlines of calls may be late. */
const TICK_MS = 100;

/** Upper bounds in seconds: a call takes 0.2 ms when idle, and little more than 5 s at most. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 6];

/** What came of a call, by the status that the frontend answers if there is no answer to pass on. */
const OUTCOMES: Record<number, string> = { 499: "cancelled", 502: "failed", 503: "overload", 504: "timeout" };

/** What goes on between the frontend and its backend; counts are since the start, of calls that have ended. */
export interface Figures extends ClientFigures {
  /** Calls in progress. */
  readonly waiting: number;
  /** Attempts after one that failed, and beside one that was silent. */
  readonly retried: number;
  readonly hedged: number;
}

/** The backend as the frontend calls it: with a time budget, retries, and hedged requests. */
export class Backend {
  readonly #url: string;
  readonly #client: HttpClient;
  /** Those in progress, the oldest first. */
  readonly #calls = new Set<Call>();
  #isTicking = false;
  #retried = 0;
  #hedged = 0;
  readonly outcomes = new Counter<string>(
    "backend_calls_total",
    "Calls of the backend by outcome. failed: not reached, or an answer that is unusable; cancelled: the client left.",
    "outcome",
    ["answered", ...Object.values(OUTCOMES)],
  );

  readonly durations = new Histogram(
    "http_request_duration_seconds",
    "Time from the end of the request's headers to the backend's answer, or to giving up, of GET and HEAD on /.",
    BOUNDS,
  );

  /**
   * @param host a name or an address; IPv6 in brackets
   * @param lookup finds the addresses of the name
   */
  constructor(host: string, port: number, lookup?: Lookup) {
    this.#url = `http://${host}:${port}/`;
    this.#client = new HttpClient(host, port, { decode: parseJson, ...(lookup && { lookup }) });
  }

  /**
   * Calls `GET /` and returns the JSON value of the answer. While the backend cannot be reached the call is retried
   * within its budget (milliseconds), so that a restart of the backend goes unnoticed.
   *
   * @param request the request to answer; once its client has disconnected, the call ends
   * @throws {Failure} 502 if the backend cannot be reached or its answer is unusable, 504 if it does not answer in time,
   * 503 at once if there are too many calls or large answers already
   */
  async get(request: Pick<Request, "signal">, budget = BUDGET_MS): Promise<unknown> {
    if (this.#calls.size === MAX_CALLS) {
      this.outcomes.add("overload");
      this.durations.add(0);
      throw overloaded("too many requests wait for the backend");
    }
    const call = new Call(this.#client, request, budget);
    this.#calls.add(call);
    if (!this.#isTicking) this.#tickLater();
    try {
      const { status, body } = await call.answer();
      if (status !== 200) throw failed(502, ` ${status}`);
      this.outcomes.add("answered");
      return body;
    } catch (error) {
      const failure = failureOf(error);
      this.outcomes.add(OUTCOMES[failure.status] ?? "failed");
      const ms = Math.round(performance.now() - call.start);
      log("warn", "backend_call_failed", { url: this.#url, status: failure.status, error: failure.message, ms });
      throw failure;
    } finally {
      call.end();
      this.#calls.delete(call);
      this.durations.add((performance.now() - call.start) / 1000);
      this.#retried += call.attempts.retried;
      this.#hedged += call.attempts.hedged;
    }
  }

  get figures(): Figures {
    const client = this.#client.figures;
    const retried = this.#retried + client.repeated;
    return { ...client, waiting: this.#calls.size, retried, hedged: this.#hedged };
  }

  #tickLater(): void {
    this.#isTicking = this.#calls.size > 0;
    if (this.#isTicking) setTimeout(this.#tick, TICK_MS);
  }

  readonly #tick = (): void => {
    const now = performance.now();
    for (const call of this.#calls) call.tick(now);
    this.#tickLater();
  };
}

const overloaded = (reason: string) => new Failure(503, reason, { "retry-after": "1" });

/** What the frontend answers when a call fails like this; an error of another kind is thrown again. */
function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof CapacityError) return overloaded(error.message);
  if (error instanceof ProtocolError || error instanceof TooLargeError) return failed(502, `: ${error.message}`);
  throw error;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson(body: Uint8Array): unknown {
  try {
    return parse(utf8.decode(body));
  } catch {
    throw new ProtocolError("the answer is not JSON");
  }
}
