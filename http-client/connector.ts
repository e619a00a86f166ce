import type { Socket } from "bun";
import type { Connection } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import type { Limits } from "./limits.ts";

/** Connections tried at a time once one has timed out, since each stays half-open. */
const MAX_PROBES = 2;

/** Words for the codes of connections that cannot be opened. */
const REASONS: Record<string, string> = { ECONNREFUSED: "connection refused" };

/** What becomes of a connection that is being opened. */
export interface Opening {
  opened(socket: Socket<Connection>): void;
  failed(error: ConnectionError): void;
  /** It counts no longer, but may still open. */
  timedOut(): void;
}

/** What the connectors to all addresses of a name share. */
export interface Shared {
  readonly limits: Limits;
  /** Connections that have timed out, but may still open. */
  halfOpen: number;
}

/** Opens connections to one address, a bounded number at a time. */
export class Connector {
  /** Connections that are being opened. */
  connecting = 0;
  #maxConnecting: number;

  constructor(
    readonly address: { readonly hostname: string; readonly port: number },
    readonly shared: Shared,
    readonly opening: Opening,
  ) {
    this.#maxConnecting = shared.limits.maxConnecting;
  }

  get canOpen(): boolean {
    const { halfOpen, limits } = this.shared;
    return this.connecting < this.#maxConnecting && halfOpen < limits.maxHalfOpen;
  }

  open(): void {
    this.connecting++;
    let isPending = true;
    let isHalfOpen = false;
    /** Whether it was pending: a connection may open, or fail, after its timeout. */
    const settle = (): boolean => {
      const wasPending = isPending;
      isPending = false;
      clearTimeout(timer);
      if (isHalfOpen) this.shared.halfOpen--;
      isHalfOpen = false;
      if (wasPending) this.connecting--;
      return wasPending;
    };
    const timer = setTimeout(() => {
      settle();
      isHalfOpen = true;
      this.shared.halfOpen++;
      this.#maxConnecting = MAX_PROBES;
      this.opening.timedOut();
    }, this.shared.limits.connectTimeoutMs);
    Bun.connect<Connection>({
      ...this.address,
      socket: {
        open: (socket) => {
          settle();
          this.#maxConnecting = this.shared.limits.maxConnecting;
          this.opening.opened(socket);
        },
        connectError: (_socket, { code = "" }: NodeJS.ErrnoException) => {
          if (settle()) this.opening.failed(new ConnectionError(REASONS[code] ?? "connection failed"));
        },
        data: (socket, bytes) => socket.data.receive(bytes),
        close: (socket, error) => socket.data.end(error === undefined),
      },
    }).catch(() => {});
  }
}
