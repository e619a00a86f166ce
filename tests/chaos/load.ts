// Requests at a steady rate, whatever becomes of those before, and what came back for each, to the byte.
import { createConnection, type Socket } from "node:net";

/**
 * "wrong": a whole answer, but another one. "cut": part of an answer. "closed": the connection ended without a byte.
 * "refused": it was not to be had. "late": nothing came within `LATE_MS`.
 */
export type Outcome = "right" | "wrong" | "cut" | "closed" | "refused" | "late";

export interface Sample {
  /** When it was sent, by `performance.now()`, and how many milliseconds it took. */
  readonly at: number;
  readonly ms: number;
  readonly outcome: Outcome;
  readonly answer: string;
}

const LATE_MS = 15_000;

const REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/** A client that keeps its connections, and never asks twice for one answer. */
export class Requester {
  readonly #idle: Socket[] = [];

  /** @param isRight what to make of an answer that is whole: its status and its body */
  constructor(
    readonly port: number,
    readonly isRight: (status: number, body: string) => boolean,
  ) {}

  ask(): Promise<Sample> {
    const { promise, resolve } = Promise.withResolvers<Sample>();
    const at = performance.now();
    const socket = this.#idle.pop() ?? createConnection({ port: this.port, host: "127.0.0.1" }).setEncoding("latin1");
    let answer = "";
    const settle = (outcome: Outcome) => {
      clearTimeout(timer);
      socket.removeAllListeners().on("error", () => {});
      if (outcome === "right" || outcome === "wrong") this.#idle.push(socket.once("close", () => this.#drop(socket)));
      else socket.destroy();
      resolve({ at, ms: performance.now() - at, outcome, answer });
    };
    const broken = () => settle(answer === "" ? "closed" : "cut");
    const timer = setTimeout(() => settle("late"), LATE_MS);
    socket
      .on("data", (data) => {
        answer += data;
        const end = answer.indexOf("\r\n\r\n");
        const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(answer.slice(0, end + 2))?.[1]);
        if (end < 0 || answer.length < end + 4 + length) return;
        const isRight = this.isRight(Number(answer.slice(9, 12)), answer.slice(end + 4));
        settle(isRight ? "right" : "wrong");
      })
      .on("end", broken)
      .on("close", broken)
      .on("error", ({ code }: NodeJS.ErrnoException) => (code === "ECONNREFUSED" ? settle("refused") : broken()));
    socket.write(REQUEST);
    return promise;
  }

  /** Asks `rate` times a second. */
  async load(rate: number, seconds: number): Promise<Sample[]> {
    const samples: Promise<Sample>[] = [];
    const start = performance.now();
    while (samples.length < rate * seconds) {
      const due = Math.min(rate * seconds, Math.floor(((performance.now() - start) / 1000) * rate) + 1);
      while (samples.length < due) samples.push(this.ask());
      await Bun.sleep(1);
    }
    return Promise.all(samples);
  }

  close(): void {
    for (const socket of this.#idle) socket.destroy();
  }

  #drop(socket: Socket): void {
    const at = this.#idle.indexOf(socket);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}

export const count = (samples: readonly Sample[], ...outcomes: Outcome[]): number =>
  samples.filter(({ outcome }) => outcomes.includes(outcome)).length;

/** The milliseconds that this part of the samples took at most. */
export function percentile(samples: readonly Sample[], part: number): number {
  const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}

export const p99 = (samples: readonly Sample[]): number => percentile(samples, 0.99);
