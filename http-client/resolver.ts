/** Milliseconds after which the addresses of a name that is in use are looked up again. */
const REFRESH_MS = 1000;

/** Milliseconds between lookups at least, after an address has failed. */
const MIN_REFRESH_MS = 200;

/** The IP addresses that a host name has now. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** Asks the C library, which knows /etc/hosts, search domains and everything else that other programs know. */
const getaddrinfo: Lookup = async (host) => {
  const found = await Bun.dns.lookup(host, { backend: "libc", socketType: "tcp" });
  return found.map(({ address }) => address);
};

/** Follows the addresses of a host name while it is in use. An address stands for itself. */
export class Resolver {
  #isLookingUp = false;
  #lastStart = Number.NEGATIVE_INFINITY;
  #lastEnd = Number.NEGATIVE_INFINITY;

  /**
   * @param found is told the addresses after each lookup
   * @param failed is told of a lookup without an answer; what was found before may still be right
   */
  constructor(
    readonly host: string,
    readonly found: (addresses: readonly string[]) => void,
    readonly failed: () => void,
    readonly lookup: Lookup = getaddrinfo,
  ) {}

  /** Milliseconds since the end of the last lookup. */
  get age(): number {
    return performance.now() - this.#lastEnd;
  }

  /** To be called with each use: looks the name up if nothing is known of it, or that was not done lately. */
  use(isKnown: boolean): void {
    this.#lookUpAfter(isKnown ? REFRESH_MS : 0);
  }

  /** To be called when an address has failed: the name may have others by now. */
  suspect(): void {
    this.#lookUpAfter(MIN_REFRESH_MS);
  }

  #lookUpAfter(ms: number): void {
    const now = performance.now();
    if (this.#isLookingUp || now - this.#lastStart < ms) return;
    this.#isLookingUp = true;
    this.#lastStart = now;
    const end = (addresses: readonly string[]) => {
      this.#isLookingUp = false;
      this.#lastEnd = performance.now();
      if (addresses.length > 0) this.found(addresses);
      else this.failed();
    };
    this.lookup(this.host).then(end, () => end([]));
  }
}
