import type { Socket } from "bun";
import { type Answer, cutOff, readAnswers } from "./answers.ts";

/** Connections that are kept for later requests. */
const MAX_IDLE = 64;

/** Connections that are opened at a time. */
const MAX_OPENING = 64;
/**
 * Milliseconds in which one opens, or is given up for another: a packet to a container that is gone is dropped, and
 * the kernel sends the next a second later (RFC 6298, section 2).
 */
const OPENING_MS = 250;
/** Connections that are tried at a time once one was given up: each stays half-open for minutes. */
const PROBES = 2;

/**
 * Requests that are sent together over one connection, where they come in the same turn of the event loop
 * (pipelining: RFC 9112, section 9.3.2): one write and one read for all of them.
 */
const MAX_BATCH = 8;
/** Milliseconds to an answer after which those behind it should have gone over connections of their own. */
const SLOW_MS = 50;
/** Milliseconds for which nothing is sent together after a batch was slow or has failed: not every server bears it. */
const APART_MS = 60_000;

interface State {
  readonly answers: ReturnType<typeof readAnswers>;
  /** In the order in which they were asked, and are answered. */
  readonly exchanges: Exchange[];
  /** By `performance.now()`. */
  sentAt: number;
}
const NOT_YET = Number.POSITIVE_INFINITY;
type Connection = Socket<State>;

/** A request; whoever asks says what becomes of the answer. */
export abstract class Exchange {
  /** Over which it goes, while it does. */
  connection: Connection | undefined;
  cancelled = false;

  /** Takes the answer, or what is in its way: `Malformed`, `Overloaded`, or the `code` of a connection that fails or closes early. */
  abstract settle(outcome: Answer | NodeJS.ErrnoException): void;

  /** Nobody waits for the answer any more. */
  cancel(): void {
    this.cancelled = true;
    this.connection?.terminate();
  }
}

/**
 * `GET /` on one server, over connections that are kept alive: with `fetch` a request takes more than twice the CPU.
 * Knows no deadline: a request ends with its answer, with its connection, or when it is cancelled.
 */
export class Client {
  readonly url: string;
  readonly #host: string;
  readonly #port: number;
  readonly #request: string;
  readonly #idle: Connection[] = [];
  /** The one that takes what else is asked in this turn of the event loop. */
  #batch: Connection | undefined;
  /** Those that something was asked over in this turn. */
  readonly #unsent: Connection[] = [];
  /** Until when (`performance.now()`) each request goes over a connection of its own. */
  #apartUntil = 0;
  readonly #opening = new Set<Exchange>();
  #maxOpening = MAX_OPENING;
  /** Those that wait until one more may be opened, or one is idle. */
  readonly #queue: Exchange[] = [];

  /** @param host a name or an address; IPv6 in brackets */
  constructor(host: string, port: number) {
    this.url = `http://${host}:${port}/`;
    this.#host = host.replace(/^\[(.*)\]$/, "$1");
    this.#port = port;
    this.#request = `GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: application/json\r\n\r\n`;
  }

  /** Closes what is idle: after a failure it is as suspect as what has failed. */
  closeIdle(): void {
    for (const connection of this.#idle.splice(0)) connection.end();
  }

  /** Asks over an idle connection or, where there is none, over a new one. */
  get(exchange: Exchange): void {
    const connection = this.#batch ?? this.#idle.pop();
    if (connection === undefined) this.#open(exchange);
    else this.#send(connection, exchange);
  }

  /** With all that joins it in this turn of the event loop. */
  #send(connection: Connection, exchange: Exchange): void {
    exchange.connection = connection;
    const size = connection.data.exchanges.push(exchange);
    if (size === 1) {
      connection.data.sentAt = NOT_YET;
      if (this.#unsent.push(connection) === 1) setImmediate(this.#sendAll);
    }
    this.#batch = size < MAX_BATCH && performance.now() > this.#apartUntil ? connection : undefined;
  }

  readonly #sendAll = (): void => {
    this.#batch = undefined;
    for (const connection of this.#unsent.splice(0)) this.#write(connection);
  };

  #write(connection: Connection): void {
    connection.data.sentAt = performance.now();
    const requests = this.#request.repeat(connection.data.exchanges.length);
    if (connection.write(requests) < requests.length) connection.terminate();
  }

  #open(exchange: Exchange): void {
    if (this.#opening.size >= this.#maxOpening) return void this.#queue.push(exchange);
    this.#opening.add(exchange);
    setTimeout(() => this.#giveUp(exchange), OPENING_MS);
    Bun.connect<State>({
      hostname: this.#host,
      port: this.#port,
      data: { answers: readAnswers(), exchanges: [], sentAt: 0 },
      socket: {
        open: (connection) => {
          const isAwaited = this.#opening.delete(exchange);
          this.#maxOpening = MAX_OPENING;
          this.#openMore();
          if (exchange.cancelled) return void connection.terminate();
          if (!isAwaited) return this.#keep(connection);
          // Nothing joins it: a connection has to answer once before it is trusted with more.
          exchange.connection = connection;
          connection.data.exchanges.push(exchange);
          this.#write(connection);
        },
        connectError: (_connection, error) => {
          if (!this.#opening.delete(exchange)) return;
          this.#openMore();
          exchange.settle(error);
        },
        data: (connection, bytes) => this.#read(connection, bytes),
        close: (connection, error) => {
          // Only a regular close may end an answer.
          if (error !== undefined) drop(connection);
          this.#end(connection);
        },
      },
    }).catch(() => {});
  }

  #giveUp(exchange: Exchange): void {
    if (!this.#opening.delete(exchange)) return;
    this.#maxOpening = PROBES;
    this.#queue.unshift(exchange);
    this.#openMore();
  }

  #openMore(): void {
    while (this.#opening.size < this.#maxOpening) {
      const next = this.#next();
      if (next === undefined) return;
      this.#open(next);
    }
  }

  #next(): Exchange | undefined {
    let next = this.#queue.shift();
    while (next?.cancelled) next = this.#queue.shift();
    return next;
  }

  #read(connection: Connection, bytes: Buffer): void {
    const { answers, exchanges, sentAt } = connection.data;
    let outcome: Answer | Error | undefined;
    do {
      // What comes over a connection that nothing was asked over is nobody's.
      if (exchanges.length === 0 || sentAt === NOT_YET) return void drop(connection);
      outcome = nextOf(answers, bytes);
      if (outcome === undefined) return;
      settleFirst(exchanges, outcome);
      if (outcome instanceof Error || !outcome.reusable) return void drop(connection);
    } while (outcome.hasMore);
    if (exchanges.length === 0) this.#keep(connection);
    else if (performance.now() - sentAt > SLOW_MS) this.#keepApart();
  }

  /** The first of those that wait may have been answered up to the close; the others were not. */
  #end(connection: Connection): void {
    const { answers, exchanges } = connection.data;
    const idle = this.#idle.indexOf(connection);
    if (idle >= 0) this.#idle.splice(idle, 1);
    if (this.#batch === connection) this.#batch = undefined;
    if (exchanges.length > 1) this.#keepApart();
    while (exchanges.length > 0) settleFirst(exchanges, nextOf(answers) ?? cutOff());
    answers.return(undefined as never);
  }

  #keep(connection: Connection): void {
    const next = this.#next();
    if (next !== undefined) this.#send(connection, next);
    else if (this.#idle.length < MAX_IDLE) this.#idle.push(connection);
    else connection.end();
  }

  #keepApart(): void {
    this.#apartUntil = performance.now() + APART_MS;
    this.#batch = undefined;
  }
}

/** Closes it; no byte that it still has, or had, is taken for an answer. */
function drop(connection: Connection): void {
  connection.data.answers.return(undefined as never);
  connection.terminate();
}

function nextOf(answers: State["answers"], bytes?: Buffer): Answer | Error | undefined {
  try {
    return answers.next(bytes).value;
  } catch (error) {
    return error as Error;
  }
}

function settleFirst(exchanges: Exchange[], outcome: Answer | Error): void {
  const exchange = exchanges.shift() as Exchange;
  exchange.connection = undefined;
  exchange.settle(outcome);
}
