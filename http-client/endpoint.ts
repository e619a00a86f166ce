import type { BodyMemory } from "./body-buffer.ts";
import { Connection, type Pool } from "./connection.ts";
import { Connector, type Shared } from "./connector.ts";
import { CapacityError, type ConnectionError, ProtocolError, TooLargeError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import type { Answer } from "./responses.ts";

/** Milliseconds for which an address is left out: after its first failure, and at most. Doubled each time. */
const LEFT_OUT_MS = { first: 100, most: 10_000 };

/** Milliseconds within which an address that was left out must answer to be used again. */
const PROBE_MS = 1000;

/** Milliseconds without pipelining after a server handled it badly: not every server supports it. */
const PIPELINING_COOL_DOWN_MS = 60_000;

/** @throws {ProtocolError} if the server should not have sent such a body */
export type Decode = (body: Uint8Array) => unknown;

/** What an endpoint needs of the client that it belongs to. */
export interface Owner extends Shared {
  readonly request: string;
  readonly decode: Decode;
  readonly memory: BodyMemory;
  /** Whether the name has other addresses as well. */
  readonly hasSeveral: boolean;
  /** A connection is idle. */
  ready(): void;
  /** The endpoint is left out, or used again. */
  changed(): void;
  /** Something has failed. */
  suspect(): void;
  /** No connection can be opened. */
  unreachable(error: ConnectionError): void;
  /** Takes a request back, to send it to another address; false if there is none to try. */
  repeat(exchange: Exchange): boolean;
}

/** One address of a server: its connections, and whether it is left out because it failed. */
export class Endpoint implements Pool {
  readonly connector: Connector;
  readonly #owner: Owner;
  readonly #open = new Set<Connection>();
  readonly #idle: Connection[] = [];
  /** Requests sent and not answered yet. */
  inFlight = 0;
  isLeftOut = false;
  /** Whether it has failed since its last usable answer. */
  isSuspect = false;
  #isRemoved = false;
  #failures = 0;
  #probeTimer: Timer | undefined;
  /** Whether the next connection that opens is for a probe. */
  #isProbing = false;
  #pipeliningFrom = 0;

  constructor(owner: Owner, hostname: string, port: number) {
    this.#owner = owner;
    this.connector = new Connector({ hostname, port }, owner, {
      opened: (socket) => {
        const connection = new Connection(socket, this, owner.memory);
        socket.data = connection;
        this.#open.add(connection);
        if (!this.#isProbing) return this.idle(connection);
        this.#probe(connection);
        // If all are left out, requests may have counted on this connection.
        owner.ready();
      },
      failed: (error) => {
        this.suspect();
        owner.unreachable(error);
      },
      timedOut: () => {
        this.suspect();
        owner.ready();
      },
    });
  }

  /** Open connections. */
  get connections(): number {
    return this.#open.size;
  }

  get hasIdle(): boolean {
    return this.#idle.length > 0;
  }

  /** Sends requests over an idle connection: as many as `take` gives, which is asked for as many as may be sent. */
  send(take: (count: number) => Exchange[]): void {
    const connection = this.#idle.pop();
    if (connection === undefined) return;
    const canPipeline = connection.isProven && performance.now() >= this.#pipeliningFrom;
    const exchanges = take(canPipeline ? this.#owner.limits.maxPipelined : 1);
    if (exchanges.length > 0) this.#sendOver(connection, exchanges);
    else this.#idle.push(connection);
  }

  /** Opens a connection, unless one is being opened. */
  openNext(): void {
    if (this.connector.connecting === 0 && this.connector.canOpen) this.connector.open();
  }

  /** The name has this address no longer: its connections are closed once their responses have come. */
  remove(): void {
    this.#isRemoved = true;
    this.#isProbing = false;
    clearTimeout(this.#probeTimer);
    this.#closeIdle();
  }

  answered(exchange: Exchange, received: Answer | Error): void {
    this.inFlight--;
    const outcome = this.#decoded(received);
    if (this.#judge(outcome)) this.#useAgain();
    else if (!(outcome instanceof CapacityError) && this.#owner.repeat(exchange)) return;
    exchange.settle(outcome);
  }

  idle(connection: Connection): void {
    if (this.#isRemoved || this.#idle.length >= this.#owner.limits.maxIdle) {
      this.#open.delete(connection);
      connection.close();
      return;
    }
    this.#idle.push(connection);
    this.#owner.ready();
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  pipeliningFailed(): void {
    this.#pipeliningFrom = performance.now() + PIPELINING_COOL_DOWN_MS;
  }

  /** Its idle connections are as suspect as what has failed. */
  suspect(): void {
    this.isSuspect = true;
    this.#closeIdle();
    this.#leaveOut();
    this.#owner.suspect();
  }

  #decoded(received: Answer | Error): Answer | Error {
    if (received instanceof Error || received.status !== 200) return received;
    try {
      received.body = this.#owner.decode(received.body as Uint8Array);
      return received;
    } catch (error) {
      return error as Error;
    }
  }

  /** Whether the server answered as it should. */
  #judge(outcome: Answer | Error): boolean {
    if (!(outcome instanceof Error)) {
      if (outcome.status === 200) return true;
      this.#leaveOut();
    } else if (outcome instanceof ProtocolError || outcome instanceof TooLargeError) this.#leaveOut();
    return false;
  }

  #sendOver(connection: Connection, exchanges: Exchange[]): void {
    this.inFlight += exchanges.length;
    connection.send(exchanges, this.#owner.request);
  }

  #closeIdle(): void {
    for (const connection of this.#idle.splice(0)) {
      this.#open.delete(connection);
      connection.close();
    }
  }

  /** Until a probe is answered; only if there are others, at first. Failures at the same time count once. */
  #leaveOut(): void {
    if (this.#isRemoved || this.#probeTimer !== undefined || !(this.isLeftOut || this.#owner.hasSeveral)) return;
    this.isLeftOut = true;
    this.#isProbing = false;
    const ms = Math.min(LEFT_OUT_MS.first * 2 ** this.#failures++, LEFT_OUT_MS.most);
    this.#probeTimer = setTimeout(
      () => {
        this.#probeTimer = undefined;
        this.#isProbing = true;
        this.connector.open();
      },
      ms * (1 + Math.random() / 4),
    );
    this.#probeTimer.unref();
    this.#owner.changed();
  }

  #useAgain(): void {
    this.isSuspect = false;
    if (!this.isLeftOut) return;
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
    this.isLeftOut = false;
    this.#isProbing = false;
    this.#failures = 0;
    this.#owner.changed();
  }

  /** A request of nobody: no call has to wait for an address that may still be silent. */
  #probe(connection: Connection): void {
    this.#isProbing = false;
    const probe = new Exchange();
    probe.repeats = Number.POSITIVE_INFINITY;
    const timer = setTimeout(() => {
      this.suspect();
      connection.destroy();
    }, PROBE_MS);
    const end = () => clearTimeout(timer);
    const failed = () => {
      end();
      // Whatever it was: without a next probe, the address would be left out for ever.
      this.#leaveOut();
    };
    probe.answer.then(end, failed);
    this.#sendOver(connection, [probe]);
  }
}
