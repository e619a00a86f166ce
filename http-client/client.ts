import { BodyMemory } from "./body-buffer.ts";
import { type Decode, Endpoint, type Owner } from "./endpoint.ts";
import { ConnectionError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits.ts";
import { type Lookup, Resolver } from "./resolver.ts";

/** What a client has at the moment, and how many requests it has sent to a second address since its start. */
export interface ClientFigures {
  /** Open connections. */
  readonly connections: number;
  /** Addresses that the server's name has, and how many of them are left out. */
  readonly addresses: number;
  readonly leftOut: number;
  readonly repeated: number;
}

export interface Options {
  readonly limits?: Partial<Limits>;
  /** Finds the addresses of the name. */
  readonly lookup?: Lookup;
  /** Makes of the bytes of a body what the exchange answers; they themselves, if not given. */
  readonly decode?: Decode;
}

/**
 * `GET /` on a server over HTTP/1.1 connections that are kept open and shared: requests of the same turn of the event
 * loop are pipelined (RFC 9112, section 9.3.2), so that several take one write and one read.
 *
 * The requests are spread over all addresses of the server's name. One that fails or is silent is left out, and used
 * again once it answers a request of the client's own.
 *
 * @example
 * const client = new HttpClient("api-backend", 8001);
 * const { status, body } = await client.get().answer;
 */
export class HttpClient implements Owner {
  readonly decode: Decode;
  readonly request: string;
  readonly limits: Limits;
  readonly memory: BodyMemory;
  halfOpen = 0;
  readonly #resolver: Resolver;
  readonly #port: number;
  /** By address, in an order of this client's own: clients that ask little do not all ask the same one first. */
  readonly #endpoints = new Map<string, Endpoint>();
  /** Those that requests are sent to: all that are not left out, or else all. */
  #candidates: Endpoint[] = [];
  #turn = 0;
  /** Requests that no connection has taken yet, the oldest first. */
  #waiting: Exchange[] = [];
  #isDispatching = false;
  #repeated = 0;

  /** @param host a name or an address; IPv6 in brackets */
  constructor(host: string, port: number, { limits, lookup, decode = (body) => body }: Options = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.decode = decode;
    this.request = `GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nAccept: application/json\r\n\r\n`;
    this.memory = new BodyMemory(this.limits);
    this.#port = port;
    const name = host.replace(/^\[(.*)\]$/, "$1");
    this.#resolver = new Resolver(
      name,
      (addresses) => this.#setAddresses(addresses),
      () => this.#nameNotFound(),
      lookup,
    );
  }

  /**
   * Requests `/`. There is no timeout; the exchange may be cancelled. Its promise is rejected with a `ConnectionError`,
   * after which a retry may succeed, or with a `ProtocolError`, `TooLargeError` or `CapacityError`.
   */
  get(): Exchange {
    const exchange = new Exchange();
    this.#waiting.push(exchange);
    this.#dispatchSoon();
    return exchange;
  }

  get figures(): ClientFigures {
    const endpoints = [...this.#endpoints.values()];
    return {
      connections: endpoints.reduce((sum, { connections }) => sum + connections, 0),
      addresses: endpoints.length,
      leftOut: endpoints.filter(({ isLeftOut }) => isLeftOut).length,
      repeated: this.#repeated,
    };
  }

  get hasSeveral(): boolean {
    return this.#endpoints.size > 1;
  }

  ready(): void {
    if (this.#waiting.length > 0) this.#dispatchSoon();
  }

  changed(): void {
    const all = [...this.#endpoints.values()];
    const used = all.filter(({ isLeftOut }) => !isLeftOut);
    this.#candidates = used.length > 0 ? used : all;
    this.ready();
  }

  suspect(): void {
    this.#resolver.suspect();
  }

  unreachable(error: ConnectionError): void {
    // Where there are others, one of them takes the request.
    if (!this.#hasUsed) this.#take(1)[0]?.settle(error);
    this.ready();
  }

  repeat(exchange: Exchange): boolean {
    if (!this.#hasUsed || exchange.isCancelled || exchange.repeats >= this.#endpoints.size) return false;
    exchange.repeats++;
    exchange.connection = undefined;
    this.#repeated++;
    this.#waiting.unshift(exchange);
    this.#dispatchSoon();
    return true;
  }

  /** Whether there are several addresses, and one that is not left out. */
  get #hasUsed(): boolean {
    return this.hasSeveral && this.#candidates.some(({ isLeftOut }) => !isLeftOut);
  }

  /** Once for all requests of a turn of the event loop; but a turn is long under load, and a full batch can go now. */
  #dispatchSoon(): void {
    this.#send(this.limits.maxPipelined);
    if (!this.#isDispatching) setImmediate(this.#dispatch);
    this.#isDispatching = true;
  }

  /** Sends what waits over idle connections, and opens others for the rest. */
  readonly #dispatch = (): void => {
    this.#isDispatching = false;
    this.#resolver.use(this.#endpoints.size > 0);
    this.#send(1);
    this.#open();
  };

  /** Sends over idle connections while at least so many requests wait. */
  #send(least: number): void {
    while (this.#waiting.length >= least) {
      const endpoint = this.#leastBusy();
      if (endpoint === undefined) return;
      endpoint.send(this.#take);
    }
  }

  /** Of the endpoints with an idle connection, the one with the fewest requests in flight. */
  #leastBusy(): Endpoint | undefined {
    const count = this.#candidates.length;
    this.#turn++;
    let least: Endpoint | undefined;
    let ready: Endpoint | undefined;
    for (let i = 0; i < count; i++) {
      const endpoint = this.#candidates[(this.#turn + i) % count] as Endpoint;
      if (endpoint.inFlight < (least?.inFlight ?? Number.POSITIVE_INFINITY)) least = endpoint;
      if (endpoint.hasIdle && endpoint.inFlight < (ready?.inFlight ?? Number.POSITIVE_INFINITY)) ready = endpoint;
    }
    // One that has less to do, but no connection to spare, gets another one for the next time; so does one without any.
    if (ready && least && (least.inFlight < ready.inFlight || least.connections === 0)) least.openNext();
    return ready;
  }

  /** Makes sure that as many connections as requests wait, and are allowed, are being opened. */
  #open(): void {
    this.#waiting = this.#waiting.filter(({ isCancelled }) => !isCancelled);
    if (this.#waiting.length === 0 || this.#resolver.age > this.limits.maxAddressAgeMs) return;
    // Any of the addresses may be dead: the first that can be reached takes the requests.
    if (!this.#candidates.some(({ connections, connector }) => connections + connector.connecting > 0))
      this.#openEach(this.#candidates);
    const most = Math.min(this.#waiting.length, this.limits.maxConnecting);
    let connecting = this.#candidates.reduce((sum, { connector }) => sum + connector.connecting, 0);
    for (; connecting < most; connecting++) {
      const endpoint = this.#fewestConnections();
      if (endpoint === undefined) return;
      endpoint.connector.open();
    }
  }

  #openEach(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints.slice(0, this.limits.maxConnecting)) endpoint.openNext();
  }

  #fewestConnections(): Endpoint | undefined {
    const total = ({ connections, connector }: Endpoint) => connections + connector.connecting;
    return this.#candidates
      .filter(({ connector }) => connector.canOpen)
      .reduce<Endpoint | undefined>((best, one) => (best && total(best) <= total(one) ? best : one), undefined);
  }

  /** The oldest of those that are still wanted. */
  readonly #take = (count: number): Exchange[] => {
    const taken: Exchange[] = [];
    while (taken.length < count) {
      const exchange = this.#waiting.shift();
      if (exchange === undefined) break;
      if (!exchange.isCancelled) taken.push(exchange);
    }
    return taken;
  };

  #setAddresses(addresses: readonly string[]): void {
    const isFirst = this.#endpoints.size === 0;
    for (const [address, endpoint] of this.#endpoints) {
      if (addresses.includes(address)) continue;
      endpoint.remove();
      this.#endpoints.delete(address);
    }
    const added = shuffled(addresses.filter((address) => !this.#endpoints.has(address)));
    for (const address of added) this.#endpoints.set(address, new Endpoint(this, address, this.#port));
    this.changed();
    // The others have connections already, and would go on to get all requests.
    if (!isFirst) this.#openEach(added.flatMap((address) => this.#endpoints.get(address) ?? []));
  }

  /** Addresses that still work are kept: a name server may be away for a while. */
  #nameNotFound(): void {
    const working = [...this.#endpoints].filter(([, { connections, isSuspect }]) => connections > 0 || !isSuspect);
    this.#setAddresses(working.map(([address]) => address));
    if (working.length > 0) return;
    for (const exchange of this.#waiting.splice(0)) exchange.settle(new ConnectionError("host name not found"));
  }
}

/** The same in a random order. */
function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
