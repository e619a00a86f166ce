import pRetry from "p-retry";
import type { HttpClient } from "../http-client/client.ts";
import { ConnectionError } from "../http-client/errors.ts";
import type { Exchange } from "../http-client/exchange.ts";
import type { Answer } from "../http-client/responses.ts";
import { Failure } from "../service/http.ts";

/** Milliseconds of silence after which a request is hedged: a connection to a killed container is never reset. */
export const HEDGE_DELAY_MS = 1000;

/** Backoff between attempts, in milliseconds; randomized, so that calls that failed together spread out. */
const BACKOFF = { retries: Number.POSITIVE_INFINITY, minTimeout: 25, maxTimeout: 200, randomize: true };

/** The error of a call, as the frontend reports it. */
export const failed = (status: number, reason: string) => new Failure(status, `GET / on backend API${reason}`);

/** The attempts of a call whose first one is late or has failed: the first answer counts. */
export class Retries {
  readonly #result = Promise.withResolvers<Answer>();
  readonly answer = this.#result.promise;
  readonly #client: HttpClient;
  readonly #deadline: number;
  readonly #budget: number;
  /** The current attempt of each sequence. */
  readonly #attempts: (Exchange | undefined)[] = [];
  readonly #ended = new AbortController();
  #nextHedge = performance.now() + HEDGE_DELAY_MS;
  #failure = { message: "", at: Number.NEGATIVE_INFINITY };

  /**
   * @param signal of the request to answer
   * @param deadline when the time is up, by `performance.now()`; `budget` milliseconds after the start
   * @param late the first attempt, if it may still succeed
   */
  constructor(client: HttpClient, signal: AbortSignal, deadline: number, budget: number, late?: Promise<Answer>) {
    this.#client = client;
    this.#deadline = deadline;
    this.#budget = budget;
    if (late) this.#addSequence(late);
    // The first attempt has failed, or is hedged.
    this.#addSequence();
    // nginx's code for it; it reaches the log alone.
    const disconnect = () => this.#result.reject(new Failure(499, "the client has left"));
    if (signal.aborted) disconnect();
    signal.addEventListener("abort", disconnect);
  }

  /** To be called every now and then. */
  tick(now: number): void {
    if (now >= this.#deadline) this.#timeOut();
    else if (now >= this.#nextHedge) {
      this.#nextHedge += HEDGE_DELAY_MS;
      if (this.#isSilent()) this.#hedge();
    }
  }

  /** Gives up all attempts. */
  end(): void {
    this.#ended.abort();
    for (const attempt of this.#attempts) attempt?.cancel();
  }

  /** Adds an attempt that is repeated while connections fail; its first one may have been made already. */
  #addSequence(first?: Promise<Answer>): void {
    const sequence = this.#attempts.push(undefined) - 1;
    const attempt = () => {
      const exchange = this.#client.get();
      this.#attempts[sequence] = exchange;
      return exchange.answer;
    };
    pRetry((number) => (number === 1 && first) || attempt(), {
      ...BACKOFF,
      signal: this.#ended.signal,
      shouldRetry: ({ error }) => error instanceof ConnectionError,
      onFailedAttempt: ({ error: { message } }) => {
        this.#failure = { message, at: performance.now() };
      },
    }).then(this.#result.resolve, this.#result.reject);
  }

  #hedge(): void {
    for (const attempt of this.#attempts) attempt?.suspect();
    this.#addSequence();
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
