import type { Socket } from "bun";
import type { Connection } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import type { Limits } from "./limits.ts";

/** Connections tried at a time once one has timed out: Bun cannot cancel them, and each stays half-open for minutes. */
const MAX_PROBES = 2;

/** Words for the codes of connections that cannot be opened. */
const REASONS: Record<string, string> = { ECONNREFUSED: "connection refused", ENOTFOUND: "host name not found" };

/** Opens connections to one server, a bounded number at a time. */
export class Connector {
  #connecting = 0;
  #maxConnecting: number;

  constructor(
    readonly address: { readonly hostname: string; readonly port: number },
    readonly limits: Limits,
    /** How many requests wait for a connection. */
    readonly wanted: () => number,
    readonly opened: (socket: Socket<Connection>) => void,
    readonly failed: (error: ConnectionError) => void,
  ) {
    this.#maxConnecting = limits.maxConnecting;
  }

  /** Makes sure that as many connections as are wanted, and allowed, are being opened. */
  open(): void {
    const most = Math.min(this.wanted(), this.#maxConnecting);
    while (this.#connecting < most) this.#openOne();
  }

  #openOne(): void {
    this.#connecting++;
    let isPending = true;
    /** Whether it was pending: a connection may open, or fail, after its timeout. */
    const settle = (): boolean => {
      const wasPending = isPending;
      isPending = false;
      clearTimeout(timer);
      if (wasPending) this.#connecting--;
      return wasPending;
    };
    const timer = setTimeout(() => {
      settle();
      this.#maxConnecting = MAX_PROBES;
      this.open();
    }, this.limits.connectTimeoutMs);
    Bun.connect<Connection>({
      ...this.address,
      socket: {
        open: (socket) => {
          settle();
          this.#maxConnecting = this.limits.maxConnecting;
          this.opened(socket);
        },
        connectError: (_socket, { code = "" }: NodeJS.ErrnoException) => {
          if (settle()) this.failed(new ConnectionError(REASONS[code] ?? "connection failed"));
        },
        data: (socket, bytes) => socket.data.receive(bytes),
        close: (socket, error) => socket.data.end(error === undefined),
      },
    }).catch(() => {});
  }
}
