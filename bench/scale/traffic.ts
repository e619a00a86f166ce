// The load, as the measuring process sees it: it starts the balancer, and keeps what it prints.
import { waitUntil } from "../../testing/wait-until.ts";
import type { Line } from "./balancer.ts";

export type Sample = Extract<Line, { kind: "sample" }>;
type State = Extract<Line, { kind: "state" }>;

const now = () => performance.timeOrigin + performance.now();

export class Traffic {
  readonly #child: Bun.Subprocess<"ignore", "pipe", "inherit">;
  readonly #samples: Sample[] = [];
  #state: State = { kind: "state", ready: [], sent: 0, done: 0 };

  /** @param command starts the balancer */
  constructor(command: readonly string[]) {
    this.#child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
    this.#read();
  }

  /** How many frontends the balancer sends to. */
  get ready(): number {
    return this.#state.ready.length;
  }

  /** The requests that were sent while something was done. */
  async during(action: () => Promise<void>): Promise<Sample[]> {
    const from = now();
    await action();
    const to = now();
    await this.#allDone();
    return this.#samples.filter(({ at }) => at >= from && at < to);
  }

  async stop(): Promise<void> {
    this.#child.kill();
    await this.#child.exited;
  }

  /** Waits until all that was sent before has an answer, or is given up. */
  async #allDone(): Promise<void> {
    const before = this.#state;
    await waitUntil("the balancer reports", () => this.#state !== before);
    const { sent } = this.#state;
    await waitUntil("the requests are done", () => this.#state.done >= sent);
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }

  #take(line: Line): void {
    if (line.kind === "sample") this.#samples.push(line);
    else this.#state = line;
  }
}
