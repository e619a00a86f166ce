// A client that does what a load balancer in front of the frontends does: it asks each twice a second whether it is ready,
// and sends to those that are, in turn. It does not send a request again. It runs in the network of the nodes:
//
//   bun bench/scale/balancer.ts RATE ADDRESS:PORT…
//
// It prints what comes of each request, and each change, as one JSON object a line.

import { LoadClient } from "../../host/load.ts";
import { BODY } from "../../lab/services.ts";

/** What it prints. Moments are in ms since 1970. */
export type Line =
  | {
      readonly kind: "sample";
      readonly at: number;
      readonly ms: number;
      readonly outcome: string;
      readonly status: number;
      readonly target: string;
    }
  /** Twice a second: the frontends that are ready, and how many requests were sent and are done. */
  | { readonly kind: "state"; readonly ready: readonly string[]; readonly sent: number; readonly done: number };

const POLL_MS = 500;
const POLL_TIMEOUT_MS = 400;

const print = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** A frontend, as the load balancer sees it. */
class Target {
  isReady = false;
  #client: LoadClient;

  constructor(readonly address: string) {
    this.#client = this.#connect();
  }

  /** Asks whether it is ready, twice a second, for ever. */
  async watch(): Promise<never> {
    for (;;) {
      const next = Bun.sleep(POLL_MS);
      const was = this.isReady;
      this.isReady = await this.#ask();
      // The connections to one that is out may lead nowhere; those in use end by themselves.
      if (was && !this.isReady) {
        this.#client.close();
        this.#client = this.#connect();
      }
      await next;
    }
  }

  async #ask(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(POLL_TIMEOUT_MS);
      return (await fetch(`http://${this.address}/readyz`, { signal, keepalive: false })).status === 200;
    } catch {
      return false;
    }
  }

  async request(): Promise<void> {
    const { at, ms, outcome, status } = await this.#client.request();
    print({ kind: "sample", at: performance.timeOrigin + at, ms, outcome, status, target: this.address });
  }

  #connect(): LoadClient {
    const [host, port] = this.address.split(":");
    const isExpected = (status: number, body: string) => status === 200 && body === BODY["api-frontend"];
    return new LoadClient(Number(port), isExpected, host);
  }
}

const [rate = "", ...addresses] = process.argv.slice(2);
const targets = addresses.map((address) => new Target(address));
for (const target of targets) target.watch();

let [turn, sent, done] = [0, 0, 0];
const readyTargets = () => targets.filter(({ isReady }) => isReady);
setInterval(() => print({ kind: "state", ready: readyTargets().map(({ address }) => address), sent, done }), POLL_MS);

async function send(): Promise<void> {
  const ready = readyTargets();
  const target = ready[turn++ % ready.length];
  // Nobody to send to: a load balancer would answer with an error of its own.
  if (target === undefined) return;
  sent++;
  await target.request();
  done++;
}

const start = performance.now();
for (let due = 0; ; await Bun.sleep(1)) {
  for (const now = ((performance.now() - start) / 1000) * Number(rate); due < now; due++) send();
}
