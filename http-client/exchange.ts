import type { Answer } from "./responses.ts";

/** What an exchange needs of the connection that it uses. */
export interface Carrier {
  /** Nobody waits for the answer to one of its requests. */
  cancelled(): void;
  /** The answer is late. */
  suspect(): void;
}

/** A request and its answer. An `AbortSignal` in its place would take 6 % of the CPU of a whole request. */
export class Exchange {
  readonly #result = Promise.withResolvers<Answer>();
  readonly answer = this.#result.promise;
  /** The connection that the request was sent over, until it is settled. */
  connection: Carrier | undefined;
  isCancelled = false;
  /** How often the request was sent again, since an address could not answer it. */
  repeats = 0;

  settle(outcome: Answer | Error): void {
    this.connection = undefined;
    if (outcome instanceof Error) this.#result.reject(outcome);
    else this.#result.resolve(outcome);
  }

  /**
   * Nobody waits for the answer any longer; a connection that no other request waits for either is closed.
   *
   * @param outcome settles the exchange; if missing, it is settled with a `ConnectionError`, or not at all
   */
  cancel(outcome?: Answer | Error): void {
    const { connection } = this;
    this.isCancelled = true;
    if (outcome) this.settle(outcome);
    connection?.cancelled();
  }

  /** The answer is late: the address that was asked is left out for a while, if there are others. */
  suspect(): void {
    this.connection?.suspect();
  }
}
