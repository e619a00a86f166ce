import { BodyBuffer, type BodyMemory, SMALL_BODY } from "./body-buffer.ts";
import { ProtocolError } from "./errors.ts";
import { type Head, parseHead } from "./head.ts";
import type { Input, Parsing } from "./input.ts";

/** The response to a `GET`. */
export interface Answer {
  readonly status: number;
  /** Missing if the status is not 200: nobody reads it then. Bytes, until it is decoded. */
  body?: unknown;
  /** Whether the connection may carry another request. */
  readonly isReusable: boolean;
}

/** The line before a chunk: RFC 9112, section 7.1. */
const CHUNK_SIZE = /^([\da-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n$/i;

/**
 * Parses the responses that arrive over one connection, one after another (RFC 9112). Yields each when it is complete,
 * and `undefined` when the input holds no complete one yet.
 *
 * @throws {ProtocolError}
 * @throws {TooLargeError}
 * @throws {CapacityError}
 * @throws {ConnectionError} if the input ends inside a response
 */
export function* parseResponses(input: Input, memory: BodyMemory): Generator<Answer | undefined, never, void> {
  const { maxHead, maxBody } = memory.limits;
  // Most responses of a second have the same head; to parse each takes a tenth of the CPU of a request.
  let lastText = "";
  let lastHead: Head | undefined;
  for (;;) {
    const text = input.lineNow("\r\n\r\n", maxHead, "the head") ?? (yield* input.line("\r\n\r\n", maxHead, "the head"));
    if (lastHead === undefined || text !== lastText) [lastText, lastHead] = [text, parseHead(text)];
    const { status, length, keepAlive } = lastHead;
    // Interim responses precede the final one (RFC 9110, section 15.2).
    if (status < 200) continue;
    if (status !== 200) yield { status, body: undefined, isReusable: false };
    else yield { status, body: yield* parseBody(length), isReusable: keepAlive };
  }

  function* parseBody(length: Head["length"]): Parsing<Uint8Array> {
    if (length !== "chunked" && length <= Math.min(SMALL_BODY, maxBody)) {
      while (input.available < length) yield* input.more();
      return input.take(length);
    }
    const body = new BodyBuffer(memory);
    try {
      if (length === "chunked") yield* copyChunks(body);
      else if (length === Number.POSITIVE_INFINITY) yield* copyToEnd(body);
      else {
        body.announce(length);
        if (body.reserve(length)) yield* copy(body, length);
      }
      return body.finish();
    } finally {
      body.release();
    }
  }

  function* copy(body: BodyBuffer, length: number): Parsing<void> {
    for (let left = length; left > 0; ) {
      const bytes = input.take(Math.min(left, input.available));
      body.append(bytes);
      left -= bytes.length;
      if (left > 0) yield* input.more();
    }
  }

  function* copyToEnd(body: BodyBuffer): Parsing<void> {
    for (;;) {
      body.append(input.take(input.available));
      if (input.ended) return;
      input.release();
      yield;
    }
  }

  function* copyChunks(body: BodyBuffer): Parsing<void> {
    for (let size = yield* chunkSize(); size > 0; size = yield* chunkSize()) {
      body.announce(size);
      yield* copy(body, size);
      if ((yield* chunkLine()) !== "\r\n") throw new ProtocolError("a chunk's end is not valid");
    }
    // The trailer section; the request asked for none.
    while ((yield* chunkLine()) !== "\r\n");
  }

  function* chunkSize(): Parsing<number> {
    const digits = CHUNK_SIZE.exec(yield* chunkLine())?.[1];
    if (digits === undefined) throw new ProtocolError("a chunk's size is not valid");
    return Number.parseInt(digits, 16);
  }

  function chunkLine(): Parsing<string> {
    return input.line("\r\n", maxHead, "a chunk's line");
  }
}
