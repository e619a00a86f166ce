import { BodyMemory } from "./body-buffer.ts";
import { Connection, type Pool } from "./connection.ts";
import { Connector } from "./connector.ts";
import { Exchange } from "./exchange.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";

/** Milliseconds without pipelining after a server handled it badly: not every server supports it. */
const PIPELINING_COOL_DOWN_MS = 60_000;

/**
 * `GET /` on one server over HTTP/1.1 connections that are kept open and shared: requests of the same turn of the event
 * loop are pipelined (RFC 9112, section 9.3.2), so that several take one write and one read.
 *
 * @example
 * const client = new HttpClient("api-backend", 8001);
 * const { status, body } = await client.get().answer;
 */
export class HttpClient {
  readonly #request: string;
  readonly #limits: Limits;
  readonly #connector: Connector;
  readonly #idle: Connection[] = [];
  /** Requests that no connection has taken yet, the oldest first. */
  #waiting: Exchange[] = [];
  #isDispatching = false;
  #pipeliningFrom = 0;

  /** @param host a name or an address; IPv6 in brackets */
  constructor(host: string, port: number, limits: Partial<Limits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#request = `GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: application/json\r\n\r\n`;
    const memory = new BodyMemory(this.#limits);
    const pool: Pool = {
      idle: (connection) => this.#addIdle(connection),
      closed: (connection) => this.#removeIdle(connection),
      pipeliningFailed: () => {
        this.#pipeliningFrom = performance.now() + PIPELINING_COOL_DOWN_MS;
      },
    };
    this.#connector = new Connector(
      { hostname: host.replace(/^\[(.*)\]$/, "$1"), port },
      this.#limits,
      () => {
        this.#waiting = this.#waiting.filter(({ isCancelled }) => !isCancelled);
        return this.#waiting.length;
      },
      (socket) => {
        socket.data = new Connection(socket, pool, memory);
        this.#addIdle(socket.data);
      },
      (error) => {
        this.#takeWaiting(1)[0]?.settle(error);
        this.#dispatchSoon();
      },
    );
  }

  /**
   * Requests `/`. There is no timeout; the exchange may be cancelled. Its promise is rejected with a `ConnectionError`,
   * after which a retry may succeed, or with a `ProtocolError`, `TooLargeError` or `CapacityError`.
   *
   * @param isRetry closes idle connections first: after a failure they are as suspect as the one that failed
   */
  get(isRetry = false): Exchange {
    if (isRetry) for (const connection of this.#idle.splice(0)) connection.close();
    const exchange = new Exchange();
    this.#waiting.push(exchange);
    this.#dispatchSoon();
    return exchange;
  }

  /** Once for all requests of a turn of the event loop. */
  #dispatchSoon(): void {
    if (!this.#isDispatching) setImmediate(this.#dispatch);
    this.#isDispatching = true;
  }

  /** Sends what waits over idle connections, and opens others for the rest. */
  readonly #dispatch = (): void => {
    this.#isDispatching = false;
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      const canPipeline = connection.isProven && performance.now() >= this.#pipeliningFrom;
      const taken = this.#takeWaiting(canPipeline ? this.#limits.maxPipelined : 1);
      if (taken.length === 0) {
        this.#idle.push(connection);
        return;
      }
      connection.send(taken, this.#request);
    }
    this.#connector.open();
  };

  /** The oldest of those that are still wanted. */
  #takeWaiting(count: number): Exchange[] {
    const taken: Exchange[] = [];
    while (taken.length < count) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) break;
      if (!exchange.isCancelled) taken.push(exchange);
    }
    return taken;
  }

  #addIdle(connection: Connection): void {
    if (this.#idle.length < this.#limits.maxIdle) this.#idle.push(connection);
    else connection.close();
    if (this.#waiting.length > 0) this.#dispatchSoon();
  }

  #removeIdle(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
