import type { Answer } from "./responses.ts";

/** A request and its answer. An `AbortSignal` in its place would take 6 % of the CPU of a whole request. */
export class Exchange {
  readonly #result = Promise.withResolvers<Answer>();
  readonly answer = this.#result.promise;
  /** The connection that the request was sent over, until it is settled. */
  connection: { destroy(): void } | undefined;
  isCancelled = false;

  settle(outcome: Answer | Error): void {
    this.connection = undefined;
    if (outcome instanceof Error) this.#result.reject(outcome);
    else this.#result.resolve(outcome);
  }

  /** Nobody waits for the answer any longer; a connection that the request was sent over is closed. */
  cancel(): void {
    this.isCancelled = true;
    this.connection?.destroy();
  }
}
