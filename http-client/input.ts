import { ConnectionError, ProtocolError } from "./errors.ts";

const EMPTY: Buffer = Buffer.alloc(0);

/** A step of a parser: it yields `undefined` when it needs more bytes, and is resumed once they are there. */
export type Parsing<Result> = Generator<undefined, Result, void>;

/** The bytes received over one connection that are not parsed yet. */
export class Input {
  #bytes = EMPTY;
  #position = 0;
  /** The server has closed its side. */
  ended = false;

  get available(): number {
    return this.#bytes.length - this.#position;
  }

  push(bytes: Buffer): void {
    this.#bytes = this.available === 0 ? bytes : Buffer.concat([this.#bytes.subarray(this.#position), bytes]);
    this.#position = 0;
  }

  /** The next `length` bytes, all of them available. */
  take(length: number): Buffer {
    this.#position += length;
    return this.#bytes.subarray(this.#position - length, this.#position);
  }

  /**
   * Waits for more bytes.
   *
   * @throws {ConnectionError} if the server has closed instead
   */
  *more(): Parsing<void> {
    this.release();
    yield;
    if (this.ended) throw new ConnectionError("connection closed before the answer was complete");
  }

  /**
   * Everything up to the given end, which is included; `undefined` if that is not there yet.
   *
   * @throws {ProtocolError} if it is longer than `maxLength`; the message calls it `what`
   */
  lineNow(end: string, maxLength: number, what: string): string | undefined {
    const at = this.#bytes.indexOf(end, this.#position);
    const length = at < 0 ? this.available - end.length + 1 : at - this.#position;
    if (length > maxLength) throw new ProtocolError(`${what} is larger than ${maxLength / 1024} KiB`);
    return at < 0 ? undefined : this.take(length + end.length).toString("latin1");
  }

  /** The same, once it is there. */
  *line(end: string, maxLength: number, what: string): Parsing<string> {
    for (;;) {
      const line = this.lineNow(end, maxLength, what);
      if (line !== undefined) return line;
      yield* this.more();
    }
  }

  /** Keeps no more memory than the bytes that are left need: received buffers hold up to hundreds of kilobytes. */
  release(): void {
    this.#bytes = this.available === 0 ? EMPTY : Buffer.from(this.#bytes.subarray(this.#position));
    this.#position = 0;
  }
}
