import pRetry from "p-retry";
import type { HttpClient } from "../http-client/client.ts";
import { ConnectionError } from "../http-client/errors.ts";
import type { Exchange } from "../http-client/exchange.ts";
import type { Answer } from "../http-client/responses.ts";
import { Failure } from "../service/http.ts";

/** Milliseconds of silence after which a request is hedged: a connection to a killed container is never reset. */
const HEDGE_DELAY_MS = 1000;

const NO_FAILURE = { message: "", at: Number.NEGATIVE_INFINITY };

/** Backoff between the attempts of a call, in milliseconds; randomized, so that calls that failed together spread out. */
const BACKOFF = { retries: Number.POSITIVE_INFINITY, minTimeout: 25, maxTimeout: 200, randomize: true };

/** The answer of the frontend when a call fails. */
export const failed = (status: number, reason: string) => new Failure(status, `GET / on backend API${reason}`);

/**
 * One call of the backend. Attempts that fail are repeated, and each second of silence adds another sequence of
 * attempts: the first answer counts, until the budget (milliseconds) is used up or the client has disconnected.
 */
export class Call {
  /** By `performance.now()`, as all times here. */
  readonly start = performance.now();
  readonly answer: Promise<Answer>;
  readonly #result = Promise.withResolvers<Answer>();
  readonly #client: HttpClient;
  readonly #request: Pick<Request, "signal">;
  readonly #budget: number;
  readonly #attempts: Exchange[] = [];
  readonly #first: Promise<Answer>;
  /** Exists once the first attempt is late or has failed. */
  #retrying: AbortController | undefined;
  #hedgeAt = this.start + HEDGE_DELAY_MS;
  #failure = NO_FAILURE;

  constructor(client: HttpClient, request: Pick<Request, "signal">, budget: number) {
    this.#client = client;
    this.#request = request;
    this.#budget = budget;
    this.answer = this.#result.promise;
    this.#first = this.#attempt();
    this.#first.then(this.#result.resolve, (error) => this.#firstFailed(error));
  }

  /** To be called every now and then: one timer for all calls costs less than one for each. */
  tick(now: number): void {
    if (now >= this.start + this.#budget) this.#timeOut();
    else if (now >= this.#hedgeAt) {
      this.#hedgeAt += HEDGE_DELAY_MS;
      this.#hedge();
    }
  }

  /** To be called when the answer, or none, has come: gives up everything that is still in progress. */
  end(): void {
    this.#retrying?.abort();
    for (const attempt of this.#attempts) attempt.cancel();
  }

  #attempt(isRetry = false): Promise<Answer> {
    const exchange = this.#client.get(isRetry);
    this.#attempts.push(exchange);
    return exchange.answer;
  }

  #firstFailed(error: Error): void {
    if (!(error instanceof ConnectionError)) this.#result.reject(error);
    else if (this.#retrying === undefined) {
      this.#recordFailure(error);
      // At once: most likely the connection had been idle for too long.
      this.#startRetrying(this.#attempt(true));
    }
  }

  #hedge(): void {
    if (this.#retrying === undefined) this.#startRetrying(this.#first);
    if (this.#isSilent()) this.#addSequence(this.#attempt(true));
  }

  #startRetrying(attempt: Promise<Answer>): void {
    this.#retrying = new AbortController();
    this.#addSequence(attempt);
    // Not earlier: making the signal of a request takes longer than most calls.
    const { signal } = this.#request;
    // nginx's code for it; it reaches the log alone.
    const disconnect = () => this.#result.reject(new Failure(499, "the client has left"));
    if (signal.aborted) disconnect();
    signal.addEventListener("abort", disconnect);
  }

  #addSequence(first: Promise<Answer>): void {
    pRetry((number) => (number === 1 ? first : this.#attempt(number === 2)), {
      ...BACKOFF,
      signal: this.#retrying?.signal,
      shouldRetry: ({ error }) => error instanceof ConnectionError,
      onFailedAttempt: ({ error }) => this.#recordFailure(error),
    }).then(this.#result.resolve, this.#result.reject);
  }

  #recordFailure({ message }: Error): void {
    this.#failure = { message, at: performance.now() };
  }

  /** A failure shows that the backend is away, which is retried already. */
  #isSilent(): boolean {
    return performance.now() - this.#failure.at >= HEDGE_DELAY_MS;
  }

  #timeOut(): void {
    const silent = failed(504, `: no answer within ${this.#budget / 1000} s`);
    this.#result.reject(this.#isSilent() ? silent : failed(502, `: ${this.#failure.message}`));
  }
}
