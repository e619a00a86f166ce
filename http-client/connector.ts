import type { Socket } from "bun";
import type { Connection } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import type { Limits } from "./limits.ts";

/** Connections tried at a time once one has timed out: Bun cannot cancel them, and each stays half-open for minutes. */
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

/** Opens connections to one address, a bounded number at a time. */
export class Connector {
  /** Connections that are being opened. */
  connecting = 0;
  #maxConnecting: number;

  constructor(
    readonly address: { readonly hostname: string; readonly port: number },
    readonly limits: Limits,
    readonly opening: Opening,
  ) {
    this.#maxConnecting = limits.maxConnecting;
  }

  get canOpen(): boolean {
    return this.connecting < this.#maxConnecting;
  }

  open(): void {
    this.connecting++;
    let isPending = true;
    /** Whether it was pending: a connection may open, or fail, after its timeout. */
    const settle = (): boolean => {
      const wasPending = isPending;
      isPending = false;
      clearTimeout(timer);
      if (wasPending) this.connecting--;
      return wasPending;
    };
    const timer = setTimeout(() => {
      settle();
      this.#maxConnecting = MAX_PROBES;
      this.opening.timedOut();
    }, this.limits.connectTimeoutMs);
    Bun.connect<Connection>({
      ...this.address,
      socket: {
        open: (socket) => {
          settle();
          this.#maxConnecting = this.limits.maxConnecting;
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
