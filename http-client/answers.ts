/** The largest body that is taken from the backend, in bytes, and the largest head. */
export const MAX_BODY = 1024 * 1024;
export const MAX_HEAD = 16 * 1024;

/** What came over the wire. */
export interface Answer {
  readonly status: number;
  /** Missing where it was larger than `MAX_BODY`, or the status is not 200: then nobody reads it. */
  readonly body?: Uint8Array | undefined;
  /** Whether the connection may carry another request. */
  readonly reusable: boolean;
  /** Whether bytes are left: of the next answer, where another was asked for. */
  readonly hasMore: boolean;
}

/** The peer does not speak HTTP/1.1 as a `GET` expects it. */
export class Malformed extends Error {
  override readonly name = "Malformed";
}

/** More is read already than the memory is meant for. */
export class Overloaded extends Error {
  override readonly name = "Overloaded";
}

/** A status line and fields, each line with its end (RFC 9112, sections 4 and 5); no folded lines. */
const HEAD = /^HTTP\/1\.[01] [1-9]\d\d(?: [^\r\n\0]*)?\r\n(?:[\w!#$%&'*+.^`|~-]+:[^\r\n\0]*\r\n)*\r\n$/;
/** What stands before a chunk: section 7.1. */
const SIZE = /^([\da-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n$/i;

/** The length of a body that ends with the connection. */
const UNTIL_CLOSE = Number.POSITIVE_INFINITY;
/** Bytes of all large bodies that are read at a time, but for those that come together with their head. */
const MAX_HELD = 8 * MAX_BODY;
const LARGE_BODY = 16 * 1024;
let held = 0;

/** Bytes that are read in large pieces until the pieces are collected: by itself the collector lets twice as many stand. */
const MAX_READ = 32 * MAX_BODY;
let readLarge = 0;

const NOTHING = Buffer.alloc(0);

/** Takes the next bytes, or `undefined` where the peer has closed; gives `undefined` where it needs more of them. */
type Reader<Read> = Generator<Answer | undefined, Read, Buffer | undefined>;

/**
 * Reads the answers to `GET`s, one behind another, from the bytes of a connection as they arrive (RFC 9112). Where an
 * answer `hasMore`, the next one starts in the same bytes.
 *
 * @throws {Malformed}
 * @throws {Overloaded}
 * @throws {Error} ECONNRESET where the peer has closed and an answer is not whole
 */
export function readAnswers(): Reader<never> {
  const reader = read();
  // Up to where it takes the first bytes.
  reader.next();
  return reader;
}

function* read(): Reader<never> {
  let input = received(yield);
  /** What of the input is read. */
  let at = 0;
  for (;;) {
    const head = line("\r\n\r\n", "the head") ?? (yield* lineToCome("\r\n\r\n", "the head"));
    const { status, length, persists } = parseHead(head);
    // Interim answers stand before the one that counts.
    if (status < 200) continue;
    const isHere = length !== "chunked" && length <= Math.min(input.length - at, MAX_BODY);
    const body = status !== 200 ? undefined : isHere ? take(length) : yield* content(length);
    const hasMore = at < input.length;
    if (!hasMore) letGo();
    const bytes = yield { status, body, reusable: persists && body !== undefined, hasMore };
    if (!hasMore) input = received(bytes);
  }

  /** Keeps none of the bytes that are read, while it waits for the next: they come by hundreds of kilobytes. */
  function letGo(): void {
    input = at === input.length ? NOTHING : Buffer.from(input.subarray(at));
    at = 0;
  }

  function add(bytes: Buffer): void {
    input = input.length === 0 ? bytes : Buffer.concat([input, bytes]);
  }

  function take(length: number): Buffer {
    at += length;
    return input.subarray(at - length, at);
  }

  /** Up to its end, and with it; `undefined` while that is not here. */
  function line(end: string, what: string): string | undefined {
    const from = at;
    const to = input.indexOf(end, from);
    const isTooLarge = to < 0 ? input.length - from >= MAX_HEAD + end.length : to - from > MAX_HEAD;
    if (isTooLarge) throw new Malformed(`${what} is larger than 16 KiB`);
    if (to < 0) return undefined;
    at = to + end.length;
    return input.toString("latin1", from, at);
  }

  function* lineToCome(end = "\r\n", what = "a chunk's line"): Reader<string> {
    for (;;) {
      const whole = line(end, what);
      if (whole !== undefined) return whole;
      letGo();
      add(received(yield));
    }
  }

  function* content(length: number | "chunked"): Reader<Uint8Array | undefined> {
    /** None where there is no more: then what is not announced is only counted, since it may be too large anyway. */
    let room: Buffer | undefined = NOTHING;
    let size = 0;
    let left = length === "chunked" ? yield* chunkSize() : length;
    try {
      while (left > 0) {
        const here = Math.min(left, input.length - at);
        // What is announced counts already.
        if (size + (left === UNTIL_CLOSE ? here : left) > MAX_BODY) return undefined;
        const isAnnounced = length !== "chunked" && length !== UNTIL_CLOSE;
        if (room && size + here > room.length) room = enlarged(room, isAnnounced ? length : size + here);
        if (!room && isAnnounced) break;
        const piece = take(here);
        if (room) piece.copy(room, size);
        size += here;
        left -= here;
        if (left > 0) {
          letGo();
          const bytes = yield;
          if (bytes === undefined && left === UNTIL_CLOSE) break;
          add(received(bytes));
        } else if (length === "chunked") {
          if ((yield* lineToCome()) !== "\r\n") throw new Malformed("a chunk's end is not valid");
          left = yield* chunkSize();
        }
      }
      if (room) return room.subarray(0, size);
      throw new Overloaded("too many large answers of the backend at a time");
    } finally {
      held -= heldBy(room);
    }
  }

  /** 0 for the last, behind which nothing is left. */
  function* chunkSize(): Reader<number> {
    const digits = SIZE.exec(yield* lineToCome())?.[1];
    if (digits === undefined) throw new Malformed("a chunk's size is not valid");
    const size = Number.parseInt(digits, 16);
    // The trailer: nobody asked for one.
    while (size === 0 && (yield* lineToCome()) !== "\r\n");
    return size;
  }
}

/** One room in place of pieces: an object for each of a million would fill the memory. `undefined` where it is full. */
function enlarged(room: Buffer, size: number): Buffer | undefined {
  held -= heldBy(room);
  const length = Math.max(size, Math.min(2 * room.length, MAX_BODY));
  if (length > LARGE_BODY && held + length > MAX_HELD) return undefined;
  const larger = Buffer.allocUnsafe(length);
  held += heldBy(larger);
  room.copy(larger);
  return larger;
}

const heldBy = (room: Buffer | undefined): number => (room && room.length > LARGE_BODY ? room.length : 0);

function received(bytes: Buffer | undefined): Buffer {
  if (bytes === undefined) throw cutOff();
  if (bytes.length > LARGE_BODY) readLarge += bytes.length;
  if (readLarge > MAX_READ) {
    readLarge = 0;
    Bun.gc(true);
  }
  return bytes;
}

/** What a connection that closes early leaves of an answer. */
export const cutOff = (): NodeJS.ErrnoException =>
  Object.assign(new Error("closed before the answer was complete"), { code: "ECONNRESET" });

interface Head {
  readonly status: number;
  /** Of the body, in bytes. */
  readonly length: number | "chunked";
  /** Whether the connection stays open behind it: section 9.3. */
  readonly persists: boolean;
}

/** The last one: most are the same, for a second at least. */
let known: { text: string; head: Head } | undefined;

function parseHead(text: string): Head {
  if (known?.text !== text) known = { text, head: parseNewHead(text) };
  return known.head;
}

function parseNewHead(text: string): Head {
  if (!HEAD.test(text)) throw new Malformed("the head is not valid");
  const fields = text.toLowerCase();
  const coding = field(fields, "transfer-encoding");
  const length = field(fields, "content-length");
  // Both would be ambiguous (section 6.1), and no other coding was asked for.
  const isChunked = coding === "chunked" && length === undefined;
  if (coding !== undefined && !isChunked) throw new Malformed("the transfer coding is not supported");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new Malformed("the length is not valid");
  return {
    status: Number(text.slice(9, 12)),
    length: isChunked ? "chunked" : Number(length ?? UNTIL_CLOSE),
    persists:
      (isChunked || length !== undefined) &&
      text.startsWith("HTTP/1.1") &&
      !/\r\nconnection:[^\r]*\bclose\b/.test(fields),
  };
}

/** The value of a field that may stand once only, in a head of lower case. */
function field(head: string, name: string): string | undefined {
  const [, value, again] = head.split(`\r\n${name}:`, 3);
  if (again !== undefined) throw new Malformed(`${name} is given twice`);
  return value?.slice(0, value.indexOf("\r\n")).trim();
}
