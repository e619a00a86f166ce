// Sends requests at a steady rate, however slow the responses are, and keeps what came back for each.
import { createConnection, type Socket } from "node:net";

/**
 * "wrong": a complete response, but not the expected one. "truncated": a part of a response. "closed": the connection
 * ended without a byte. "refused": it could not be opened. "timeout": no complete response within `TIMEOUT_MS`.
 */
export type Outcome = "expected" | "wrong" | "truncated" | "closed" | "refused" | "timeout";

export interface Sample {
  /** When the request was sent, by `performance.now()`, and how long it took, in ms. */
  readonly at: number;
  readonly ms: number;
  readonly outcome: Outcome;
  /** The status and the bytes of the response; 0 if it is not complete. */
  readonly status: number;
  readonly response: string;
}

const TIMEOUT_MS = 15_000;

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** A client that reuses its connections and never retries. */
export class LoadClient {
  readonly #idle: Socket[] = [];

  /** @param isExpected judges a complete response by its status and body */
  constructor(
    readonly port: number,
    readonly isExpected: (status: number, body: string) => boolean,
    readonly host = "127.0.0.1",
  ) {}

  request(): Promise<Sample> {
    const { promise, resolve } = Promise.withResolvers<Sample>();
    const at = performance.now();
    const socket = this.#idle.pop() ?? createConnection({ port: this.port, host: this.host }).setEncoding("latin1");
    let response = "";
    const settle = (outcome: Outcome, status = 0) => {
      clearTimeout(timer);
      socket.removeAllListeners().on("error", () => {});
      if (status > 0) this.#idle.push(socket.once("close", () => this.#forget(socket)));
      else socket.destroy();
      resolve({ at, ms: performance.now() - at, outcome, status, response });
    };
    const onEnd = () => settle(response === "" ? "closed" : "truncated");
    const timer = setTimeout(() => settle("timeout"), TIMEOUT_MS);
    socket
      .on("data", (data) => {
        response += data;
        const headEnd = response.indexOf("\r\n\r\n");
        const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(response.slice(0, headEnd + 2))?.[1]);
        if (headEnd < 0 || response.length < headEnd + 4 + length) return;
        const status = Number(response.slice(9, 12));
        settle(this.isExpected(status, response.slice(headEnd + 4)) ? "expected" : "wrong", status);
      })
      .on("end", onEnd)
      .on("close", onEnd)
      .on("error", ({ code }: NodeJS.ErrnoException) => (code === "ECONNREFUSED" ? settle("refused") : onEnd()));
    socket.write(REQUEST);
    return promise;
  }

  /** Sends `rate` requests per second. */
  async load(rate: number, seconds: number): Promise<Sample[]> {
    const samples: Promise<Sample>[] = [];
    const start = performance.now();
    while (samples.length < rate * seconds) {
      const due = Math.min(rate * seconds, Math.floor(((performance.now() - start) / 1000) * rate) + 1);
      while (samples.length < due) samples.push(this.request());
      await Bun.sleep(1);
    }
    return Promise.all(samples);
  }

  close(): void {
    for (const socket of this.#idle) socket.destroy();
  }

  #forget(socket: Socket): void {
    const index = this.#idle.indexOf(socket);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}

export const count = (samples: readonly Sample[], ...outcomes: Outcome[]): number =>
  samples.filter(({ outcome }) => outcomes.includes(outcome)).length;

/** A sample whose response is not the expected one, or is missing. */
export const firstUnexpected = (samples: readonly Sample[]): Sample | undefined =>
  samples.find(({ outcome }) => outcome !== "expected");

/** A latency percentile in ms; `part` is 0.99 for p99. */
export function percentile(samples: readonly Sample[], part: number): number {
  const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}

export const p99 = (samples: readonly Sample[]): number => percentile(samples, 0.99);
export const slowest = (samples: readonly Sample[]): number => Math.max(...samples.map(({ ms }) => ms));
