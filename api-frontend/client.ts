import type { Socket } from "bun";
import { type Answer, ResponseReader } from "./response.ts";

/** Connections that are kept for later requests. */
const MAX_IDLE = 64;

/** Connections that may be opened at a time: to a host that drops packets each stays half-open for minutes. */
const MAX_OPENING = 64;
/** Milliseconds after which an opening connection no longer counts. */
const OPENING_MS = 1000;

type Connection = Socket<{ exchange: Exchange | undefined }>;

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
 * `GET /` on one server, over connections that are kept alive: `fetch` takes twice the CPU (the README's table).
 * Knows no deadline: a request ends with its answer, with its connection, or when it is cancelled.
 */
export class Client {
  readonly url: string;
  readonly #host: string;
  readonly #port: number;
  readonly #request: string;
  readonly #idle: Connection[] = [];
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
    const idle = this.#idle.pop();
    if (idle === undefined) this.#open(exchange);
    else this.#send(idle, exchange);
    return exchange;
  }

  #send(connection: Connection, exchange: Exchange): void {
    connection.data.exchange = exchange;
    exchange.connection = connection;
    if (connection.write(this.#request) < this.#request.length) connection.terminate();
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
      data: { exchange: undefined },
      socket: {
        open: (connection) => {
          this.#opened(exchange);
          if (exchange.cancelled) this.#keep(connection);
          else this.#send(connection, exchange);
        },
        connectError: (_connection, error) => {
          this.#opened(exchange);
          exchange.reject(error);
        },
        data: (connection, bytes) => this.#read(connection, bytes),
        close: (connection) => this.#read(connection),
      },
    }).catch(() => {});
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

  /** Takes what a connection brings: bytes or, without, its end. */
  #read(connection: Connection, bytes?: Buffer): void {
    const { exchange } = connection.data;
    if (exchange === undefined) {
      this.#drop(connection);
      return;
    }
    try {
      const answer = bytes === undefined ? exchange.reader.end() : exchange.reader.read(bytes);
      if (answer === undefined) return;
      exchange.connection = connection.data.exchange = undefined;
      if (answer.reusable) this.#keep(connection);
      else connection.terminate();
      exchange.resolve(answer);
    } catch (error) {
      exchange.connection = connection.data.exchange = undefined;
      connection.terminate();
      exchange.reject(error as Error);
    }
  }

  #keep(connection: Connection): void {
    const next = this.#next();
    if (next !== undefined) this.#send(connection, next);
    else if (this.#idle.length < MAX_IDLE) this.#idle.push(connection);
    else connection.end();
  }

  /** What comes over a connection that nothing was asked over is nobody's. */
  #drop(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    connection.terminate();
  }
}
