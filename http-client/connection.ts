import type { Socket } from "bun";
import type { BodyMemory } from "./body-buffer.ts";
import { ConnectionError } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { Input } from "./input.ts";
import { type Answer, parseResponses } from "./responses.ts";

/** Milliseconds to a response after which the requests behind it should have used connections of their own. */
const SLOW_MS = 50;

/** What a connection reports to the pool that it belongs to. */
export interface Pool {
  /** What came of a request. */
  answered(exchange: Exchange, outcome: Answer | Error): void;
  /** Every response has come; the next requests may be sent. */
  idle(connection: Connection): void;
  closed(connection: Connection): void;
  /** A response is late, or the server closed before it was complete. */
  suspect(): void;
  /** Requests were sent together, and the server handled that badly. */
  pipeliningFailed(): void;
}

/** One HTTP/1.1 connection. */
export class Connection {
  /** Whether a response has come already: only then is the connection used for several requests at a time. */
  isProven = false;
  readonly #socket: Socket<Connection>;
  readonly #pool: Pool;
  readonly #memory: BodyMemory;
  readonly #input = new Input();
  readonly #responses: ReturnType<typeof parseResponses>;
  /** In the order in which they were sent, which is that of the responses (RFC 9112, section 9.3.2). */
  #exchanges: Exchange[] = [];
  #isPipelined = false;
  #isDestroyed = false;
  #sentAt = 0;

  constructor(socket: Socket<Connection>, pool: Pool, memory: BodyMemory) {
    this.#socket = socket;
    this.#pool = pool;
    this.#memory = memory;
    this.#responses = parseResponses(this.#input, memory);
  }

  /** Sends a request, as the bytes that are given, for each exchange. The connection must be idle. */
  send(exchanges: Exchange[], request: string): void {
    for (const exchange of exchanges) exchange.connection = this;
    this.#exchanges = exchanges;
    this.#isPipelined = exchanges.length > 1;
    this.#sentAt = performance.now();
    const requests = request.repeat(exchanges.length);
    if (this.#socket.write(requests) < requests.length) this.destroy();
  }

  receive(bytes: Buffer): void {
    this.#memory.countReceived(bytes.length);
    this.#input.push(bytes);
    let isReusable: boolean | undefined = true;
    while (isReusable && this.#exchanges.length > 0) isReusable = this.#settleNext();
    if (isReusable === undefined) {
      if (this.#isPipelined && performance.now() - this.#sentAt > SLOW_MS) this.#pool.pipeliningFailed();
      return;
    }
    this.#input.release();
    // Bytes that are left were not requested.
    if (!isReusable || this.#input.available > 0) return void this.destroy();
    this.isProven = true;
    this.#pool.idle(this);
  }

  /** To be called once the socket is closed. A body without a length is complete if the server closed regularly. */
  end(isRegular: boolean): void {
    this.#input.ended = true;
    if (this.#exchanges.length > 1) this.#pool.pipeliningFailed();
    if (isRegular && this.#exchanges.length > 0) this.#settleNext();
    if (!this.#isDestroyed && this.#exchanges.length > 0) this.#pool.suspect();
    const error = new ConnectionError("connection closed before the answer was complete");
    for (const exchange of this.#exchanges.splice(0)) this.#pool.answered(exchange, error);
    // Releases the memory of a body that is not complete.
    this.#responses.return(undefined as never);
    this.#pool.closed(this);
  }

  suspect(): void {
    this.#pool.suspect();
  }

  /** A request is cancelled. Those that were sent with it still get their responses. */
  cancelled(): void {
    if (this.#exchanges.every(({ isCancelled }) => isCancelled)) this.destroy();
  }

  /** Closes after what was sent. */
  close(): void {
    this.#socket.end();
  }

  /** Closes at once; nothing that has been received, or will be, is taken for a response. */
  destroy(): void {
    this.#isDestroyed = true;
    this.#responses.return(undefined as never);
    this.#socket.terminate();
  }

  /** Settles the oldest exchange; whether the connection may be used further, `undefined` if more bytes are needed. */
  #settleNext(): boolean | undefined {
    let outcome: Answer | Error | undefined;
    try {
      outcome = this.#responses.next().value;
    } catch (error) {
      // The server has closed inside the response.
      if (error instanceof ConnectionError) this.#pool.suspect();
      outcome = error as Error;
    }
    if (outcome === undefined) return undefined;
    const exchange = this.#exchanges.shift();
    if (exchange !== undefined) this.#pool.answered(exchange, outcome);
    return !(outcome instanceof Error) && outcome.isReusable;
  }
}
