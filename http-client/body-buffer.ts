import { CapacityError, TooLargeError } from "./errors.ts";
import type { Limits } from "./limits.ts";

const KIB = 1024;

/** Bytes up to which a body is not counted: many small ones are no danger. */
export const SMALL_BODY = 16 * KIB;

/** Bytes received in large pieces after which the collector runs: left alone it lets twice as many pile up. */
const COLLECT_AFTER = 32 * KIB * KIB;

/** The memory of all bodies that a client is reading. */
export class BodyMemory {
  used = 0;
  #received = 0;

  constructor(readonly limits: Limits) {}

  countReceived(bytes: number): void {
    if (bytes > SMALL_BODY) this.#received += bytes;
    if (this.#received <= COLLECT_AFTER) return;
    this.#received = 0;
    Bun.gc(true);
  }
}

/** Collects a body in one buffer: if its pieces are a byte each, an object per piece would fill the memory. */
export class BodyBuffer {
  readonly #sink = new Bun.ArrayBufferSink();
  readonly #memory: BodyMemory;
  #size = 0;
  #reserved = 0;
  /** The body is counted on, since it may turn out to be too large anyway. */
  #isOutOfMemory = false;

  constructor(memory: BodyMemory) {
    this.#memory = memory;
  }

  /** @throws {TooLargeError} if so many more bytes are too many */
  announce(bytes: number): void {
    const { maxBody } = this.#memory.limits;
    if (this.#size + bytes > maxBody) throw new TooLargeError(`the answer is larger than ${maxBody / KIB / KIB} MiB`);
  }

  /** @throws {TooLargeError} */
  append(bytes: Buffer): void {
    this.announce(bytes.length);
    this.#size += bytes.length;
    // All at once, since bodies that take it bit by bit would leave none of them enough.
    if (this.#size > SMALL_BODY && this.#reserved === 0) this.reserve(this.#memory.limits.maxBody);
    if (!this.#isOutOfMemory) this.#sink.write(bytes);
  }

  /** Whether there is memory for a body of this size; if not, `finish` fails. */
  reserve(size: number): boolean {
    if (size <= SMALL_BODY) return true;
    this.#isOutOfMemory ||= this.#memory.used + size > this.#memory.limits.maxBuffered;
    if (this.#isOutOfMemory) return false;
    this.#memory.used += size;
    this.#reserved = size;
    return true;
  }

  /** @throws {CapacityError} */
  finish(): Uint8Array {
    if (this.#isOutOfMemory) throw new CapacityError("too many large answers at the same time");
    return this.#sink.end() as Uint8Array;
  }

  /** To be called once the body is complete, or given up. */
  release(): void {
    this.#memory.used -= this.#reserved;
  }
}
