const MIB = 1024 * 1024;

/** What one client may use; sizes are in bytes. The defaults suit a service with 256 MiB of memory. */
export const DEFAULT_LIMITS = {
  /** The status line with the headers, and a line between chunks. */
  maxHead: MIB / 64,
  maxBody: MIB,
  /** All bodies over 16 KiB that are being read at the same time; one of unknown length counts as `maxBody`. */
  maxBuffered: 8 * MIB,
  /** Connections to one address kept open for later requests. */
  maxIdle: 64,
  /** Connections being opened at the same time. */
  maxConnecting: 64,
  /** Then another is tried: a lost SYN is repeated after a second (RFC 6298, section 2), long in a local network. */
  connectTimeoutMs: 250,
  /** Connections that have not opened by then, to all addresses: Bun cannot cancel them, the kernel tries for 2 min. */
  maxHalfOpen: 2048,
  /** Then no connection is opened to the addresses of a name before it is looked up again: they may be others' by now. */
  maxAddressAgeMs: 30_000,
  /** Requests sent together over one connection; 1 turns pipelining off. */
  maxPipelined: 8,
};

export type Limits = Readonly<typeof DEFAULT_LIMITS>;
