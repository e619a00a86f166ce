/** The largest body that is taken from the backend, in bytes, and the largest head. */
export const MAX_BODY = 1024 * 1024;
export const MAX_HEAD = 16 * 1024;

/** What came over the wire. */
export interface Answer {
  readonly status: number;
  /** Missing where it was larger than `MAX_BODY`, or the status is not 200: then nobody reads it. */
  readonly body?: Uint8Array;
  /** Whether the connection may carry another request. */
  readonly reusable: boolean;
  /** The bytes behind it: of the next answer, where another was asked for. */
  readonly rest?: Buffer;
}

/** The peer does not speak HTTP/1.1 as a `GET` expects it. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** A status line and fields, each line with its end (RFC 9112, sections 4 and 5); no folded lines. */
const HEAD = /^HTTP\/1\.[01] [1-9]\d\d(?: [^\r\n\0]*)?\r\n(?:[\w!#$%&'*+.^`|~-]+:[^\r\n\0]*\r\n)*$/;

export const NOTHING = Buffer.alloc(0);
const BLANK_LINE = Buffer.from("\r\n\r\n");

/** Reads one response to a `GET` from the bytes as they arrive (RFC 9112). */
export class ResponseReader {
  #head: Buffer | undefined = NOTHING;
  #status = 0;
  #reusable = false;
  readonly #body: Uint8Array[] = [];
  #size = 0;
  /** Bytes that are still to come of the body or of the chunk. */
  #left = 0;
  /** Where the body is chunked: what comes after the bytes that are left, and the part of that line that is here. */
  #line: "none" | "size" | "end" | "trailer" = "none";
  #text = "";

  /**
   * Takes the next bytes; gives the answer once it is whole.
   *
   * @throws {Malformed}
   */
  read(bytes: Buffer): Answer | undefined {
    if (this.#head === undefined) return this.#readBody(bytes);
    const head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes]);
    const end = head.indexOf(BLANK_LINE);
    if (end > MAX_HEAD || (end < 0 && head.length > MAX_HEAD)) throw new Malformed("the head is larger than 16 KiB");
    if (end < 0) {
      this.#head = head;
      return undefined;
    }
    const rest = head.subarray(end + 4);
    if (this.#readHead(head.toString("latin1", 0, end + 2))) {
      this.#head = undefined;
      return this.#status === 200 ? this.#readBody(rest) : { status: this.#status, reusable: false };
    }
    this.#head = NOTHING;
    return this.read(rest);
  }

  /**
   * The connection was closed by the peer: that ends a body without a length.
   *
   * @throws {Error} ECONNRESET where the answer is not whole
   */
  end(): Answer {
    if (this.#head === undefined && this.#left === Number.POSITIVE_INFINITY) return this.#answer(NOTHING);
    throw Object.assign(new Error("closed before the answer was complete"), { code: "ECONNRESET" });
  }

  /** False where an interim answer (1xx) was read. */
  #readHead(head: string): boolean {
    if (!HEAD.test(head)) throw new Malformed("the head is not valid");
    this.#status = Number(head.slice(9, 12));
    if (this.#status < 200) return false;
    const lower = head.toLowerCase();
    const coding = field(lower, "transfer-encoding");
    const length = field(lower, "content-length");
    if (coding !== undefined) {
      // Both would be ambiguous (section 6.1), and no other coding was asked for.
      if (coding !== "chunked" || length !== undefined) throw new Malformed("the transfer coding is not supported");
      this.#line = "size";
    } else {
      if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new Malformed("the length is not valid");
      this.#left = length === undefined ? Number.POSITIVE_INFINITY : Number(length);
    }
    this.#reusable = head.startsWith("HTTP/1.1") && !/\r\nconnection:[^\r]*\bclose\b/.test(lower);
    return true;
  }

  #readBody(bytes: Buffer): Answer | undefined {
    let rest = bytes;
    for (;;) {
      const part = rest.length > this.#left ? rest.subarray(0, this.#left) : rest;
      rest = rest.subarray(part.length);
      this.#left -= part.length;
      this.#size += part.length;
      const announced = this.#left === Number.POSITIVE_INFINITY ? 0 : this.#left;
      if (this.#size + announced > MAX_BODY) {
        // Let go of now: a timer still holds this reader.
        this.#body.length = 0;
        return { status: this.#status, reusable: false };
      }
      if (part.length > 0) this.#body.push(part);
      if (this.#left > 0) return undefined;
      if (this.#line === "none") return this.#answer(rest);
      const end = rest.indexOf("\n");
      this.#text += rest.toString("latin1", 0, end < 0 ? rest.length : end);
      if (this.#text.length > MAX_HEAD) throw new Malformed("a chunk's line is larger than 16 KiB");
      if (end < 0) return undefined;
      rest = rest.subarray(end + 1);
      if (this.#readLine()) return this.#answer(rest);
    }
  }

  /** A line of the chunked coding (section 7.1); true for the last. */
  #readLine(): boolean {
    const line = this.#text;
    this.#text = "";
    if (this.#line === "size") {
      const size = /^([\da-f]{1,8})[ \t]*(?:;[^\r]*)?\r$/i.exec(line)?.[1];
      if (size === undefined) throw new Malformed("a chunk's size is not valid");
      this.#left = Number.parseInt(size, 16);
      this.#line = this.#left > 0 ? "end" : "trailer";
      return false;
    }
    if (this.#line === "trailer") return line === "\r";
    if (line !== "\r") throw new Malformed("a chunk's end is not valid");
    this.#line = "size";
    return false;
  }

  #answer(rest: Buffer): Answer {
    const pieces = this.#body.splice(0);
    const body = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
    return { status: this.#status, body, reusable: this.#reusable && this.#left === 0, rest };
  }
}

/** The value of a field that may stand once only, in a head of lower case. */
function field(head: string, name: string): string | undefined {
  const at = head.indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  if (head.includes(`\r\n${name}:`, at + 1)) throw new Malformed(`${name} is given twice`);
  const from = at + name.length + 3;
  return head.slice(from, head.indexOf("\r\n", from)).trim();
}
