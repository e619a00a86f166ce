import type { HttpClient } from "../http-client/client.ts";
import { ConnectionError } from "../http-client/errors.ts";
import type { Exchange } from "../http-client/exchange.ts";
import type { Answer } from "../http-client/responses.ts";
import { HEDGE_DELAY_MS, Retries } from "./retries.ts";

const NO_ATTEMPTS = { retried: 0, hedged: 0 };

/** One call of the backend: a request that is retried and hedged until there is an answer, or the time is up. */
export class Call {
  /** By `performance.now()`, as all times here. */
  readonly start = performance.now();
  readonly #client: HttpClient;
  readonly #request: Pick<Request, "signal">;
  readonly #budget: number;
  readonly #first: Exchange;
  /** Exists once the first attempt is late or has failed. */
  #retries: Retries | undefined;

  /**
   * @param request the request to answer; once its client has disconnected, the call ends
   * @param budget milliseconds
   */
  constructor(client: HttpClient, request: Pick<Request, "signal">, budget: number) {
    this.#client = client;
    this.#request = request;
    this.#budget = budget;
    this.#first = client.get();
  }

  /**
   * @throws {Failure} when the time is up, or the client has disconnected
   * @throws {Error} what the HTTP client throws, except for a `ConnectionError`
   */
  async answer(): Promise<Answer> {
    try {
      return await this.#first.answer;
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#retries ??= this.#retry();
      return this.#retries.answer;
    }
  }

  /** To be called every now and then: one timer for all calls costs less than one for each. */
  tick(now: number): void {
    if (this.#retries === undefined && now - this.start >= HEDGE_DELAY_MS) {
      const settle = (outcome: Answer | Error) => this.#first.cancel(outcome);
      this.#first.suspect();
      this.#retries = this.#retry(this.#first.answer);
      this.#retries.answer.then(settle, settle);
    }
    this.#retries?.tick(now);
  }

  /** Attempts after one that failed, and beside one that was silent. */
  get attempts(): { readonly retried: number; readonly hedged: number } {
    return this.#retries ?? NO_ATTEMPTS;
  }

  /** To be called when the answer, or none, has come: gives up everything that is still in progress. */
  end(): void {
    this.#retries?.end();
  }

  #retry(late?: Promise<Answer>): Retries {
    // Its signal is asked for no earlier than here: making one takes longer than most calls.
    return new Retries(this.#client, this.#request.signal, this.start + this.#budget, this.#budget, late);
  }
}
