import type { Socket } from "bun";
import { type Answer, NOTHING, ResponseReader } from "./response.ts";

/** Connections that are kept for later requests. */
const MAX_IDLE = 64;

/** Connections that may be opened at a time: to a host that drops packets each stays half-open for minutes. */
const MAX_OPENING = 64;
/** Milliseconds after which an opening connection no longer counts. */
const OPENING_MS = 1000;

/**
 * Requests that are sent together over one connection, where they come in the same turn of the event loop
 * (pipelining: RFC 9112, section 9.3.2): one write and one read for all of them.
 */
const MAX_BATCH = 8;
/** Milliseconds to an answer after which those behind it should have gone over connections of their own. */
const SLOW_MS = 50;
/** Milliseconds for which nothing is sent together after a batch was slow or has failed: not every server bears it. */
const APART_MS = 60_000;

type Connection = Socket<{ exchanges: Exchange[]; unsent: number; sentAt: number }>;

/** A request, and its answer to come. */
export class Exchange {
  readonly reader = new ResponseReader();
  /** Over which it goes, while it does. */
  connection: Connection | undefined;
  cancelled = false;
  #settle = Promise.withResolvers<Answer | undefined>();

  /**
   * The answer; `undefined` where it was `overdue`.
   *
   * @throws {Malformed} where what comes back is not HTTP
   * @throws {Error} with a `code` where the connection cannot be opened or closes early
   */
  readonly answer: Promise<Answer | undefined> = this.#settle.promise;

  /** What `answer` no longer waits for. */
  late: Promise<Answer> | undefined;

  /** Settles `answer` with `undefined`; from now on `late` waits. */
  overdue(): void {
    const { resolve } = this.#settle;
    const late = Promise.withResolvers<Answer>();
    this.late = late.promise;
    this.#settle = late as PromiseWithResolvers<Answer | undefined>;
    resolve(undefined);
  }

  resolve(answer: Answer): void {
    this.#settle.resolve(answer);
  }

  reject(error: Error): void {
    this.#settle.reject(error);
  }

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
  /** Whether each request goes over a connection of its own. */
  #apart = false;
  readonly #opening = new Set<Exchange>();
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
  get(): Exchange {
    const exchange = new Exchange();
    const connection = this.#batch ?? this.#idle.pop();
    if (connection === undefined) this.#open(exchange);
    else this.#send(connection, exchange);
    return exchange;
  }

  #send(connection: Connection, exchange: Exchange): void {
    const { data } = connection;
    exchange.connection = connection;
    data.exchanges.push(exchange);
    data.unsent++;
    if (data.unsent === 1) setImmediate(() => this.#flush(connection));
    const isFull = data.exchanges.length === MAX_BATCH;
    this.#batch = this.#apart || isFull ? undefined : connection;
  }

  #flush(connection: Connection): void {
    const { data } = connection;
    const requests = data.unsent === 1 ? this.#request : this.#request.repeat(data.unsent);
    if (this.#batch === connection) this.#batch = undefined;
    data.unsent = 0;
    data.sentAt = performance.now();
    if (connection.write(requests) < requests.length) connection.terminate();
  }

  #keepApart(): void {
    if (this.#apart) return;
    this.#apart = true;
    this.#batch = undefined;
    setTimeout(() => {
      this.#apart = false;
    }, APART_MS).unref();
  }

  #open(exchange: Exchange): void {
    if (this.#opening.size === MAX_OPENING) {
      this.#queue.push(exchange);
      return;
    }
    this.#opening.add(exchange);
    setTimeout(() => this.#opened(exchange), OPENING_MS);
    Bun.connect<Connection["data"]>({
      hostname: this.#host,
      port: this.#port,
      data: { exchanges: [], unsent: 0, sentAt: 0 },
      socket: {
        open: (connection) => {
          this.#opened(exchange);
          if (exchange.cancelled) connection.terminate();
          // Nothing joins it on its way: a connection has to answer once before it is trusted with more.
          else this.#sendAlone(connection, exchange);
        },
        connectError: (_connection, error) => {
          this.#opened(exchange);
          exchange.reject(error);
        },
        data: (connection, bytes) => this.#read(connection, bytes),
        close: (connection) => this.#end(connection),
      },
    }).catch(() => {});
  }

  #sendAlone(connection: Connection, exchange: Exchange): void {
    exchange.connection = connection;
    connection.data.exchanges.push(exchange);
    connection.data.unsent = 1;
    this.#flush(connection);
  }

  /** Makes room for the next that waits for a connection. */
  #opened(exchange: Exchange): void {
    if (!this.#opening.delete(exchange)) return;
    const next = this.#next();
    if (next !== undefined) this.#open(next);
  }

  #next(): Exchange | undefined {
    let next = this.#queue.shift();
    while (next?.cancelled) next = this.#queue.shift();
    return next;
  }

  #read(connection: Connection, bytes: Buffer): void {
    const { exchanges, sentAt } = connection.data;
    let rest = bytes;
    while (rest.length > 0) {
      const [exchange] = exchanges;
      // What comes over a connection that nothing was asked over is nobody's.
      if (exchange === undefined) return void connection.terminate();
      try {
        const answer = exchange.reader.read(rest);
        if (answer === undefined) return;
        this.#settle(connection, exchange, answer);
        if (!answer.reusable) return void connection.terminate();
        rest = answer.rest ?? NOTHING;
      } catch (error) {
        exchanges.shift();
        exchange.reject(error as Error);
        return void connection.terminate();
      }
    }
    if (exchanges.length === 0) this.#keep(connection);
    else if (performance.now() - sentAt > SLOW_MS) this.#keepApart();
  }

  #settle(connection: Connection, exchange: Exchange, answer: Answer): void {
    connection.data.exchanges.shift();
    exchange.connection = undefined;
    exchange.resolve(answer);
  }

  /** The first of those that wait may have been answered up to the close; the others were not. */
  #end(connection: Connection): void {
    const idle = this.#idle.indexOf(connection);
    if (idle >= 0) this.#idle.splice(idle, 1);
    if (this.#batch === connection) this.#batch = undefined;
    const exchanges = connection.data.exchanges.splice(0);
    if (exchanges.length > 1) this.#keepApart();
    for (const exchange of exchanges) {
      exchange.connection = undefined;
      try {
        exchange.resolve(exchange.reader.end());
      } catch (error) {
        exchange.reject(error as Error);
      }
    }
  }

  #keep(connection: Connection): void {
    const next = this.#next();
    if (next !== undefined) this.#send(connection, next);
    else if (this.#idle.length < MAX_IDLE) this.#idle.push(connection);
    else connection.end();
  }
}
