import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { pauses } from "../pauses.ts";
import { Refused } from "./refused.ts";
import type { Sink } from "./sink.ts";
import { nameOf } from "./zip-name.ts";

const CHUNK_BYTES = 64 * 1024;
/** A link's target; Linux's PATH_MAX. */
const MAX_TARGET_BYTES = 4096;
const ENCRYPTED = "it is protected by a password";

/**
 * Unpacks a zip archive, without holding it in memory.
 *
 * @throws {Refused} if it is encrypted, or would be written where it must not
 * @throws {Error} if it is damaged
 */
export async function unpackZip(file: string, sink: Sink, signal?: AbortSignal): Promise<void> {
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const reader = new FileReader(descriptor, size);
    const zip = await fromRandomAccessReaderPromise(reader, size, { decodeStrings: false, autoClose: false });
    // So many are read, no matter how many there are.
    if (zip.entryCount > sink.tally.limits.entries) throw sink.tally.exceeded("entries");
    const pause = pauses();
    let compressed = 0;
    for await (const entry of zip.eachEntry()) {
      signal?.throwIfAborted();
      await pause();
      // Entries that share their bytes unpack to a multiple of them (the zip bombs of Fifield, 2019), and take as long.
      compressed += entry.compressedSize;
      if (compressed > size) throw new Refused("its entries overlap, as those of a zip bomb do");
      await unpackEntry(zip, entry, sink, pause, signal);
    }
  } catch (error) {
    // The library knows the flag of strong encryption only as an error.
    throw /encrypt/.test((error as Error).message) ? new Refused(ENCRYPTED) : error;
  } finally {
    closeSync(descriptor);
  }
}

/** The types of a file in a Unix mode (stat(2)). */
const TYPE = { mask: 0o170000, folder: 0o040000, link: 0o120000, file: 0o100000 };
/** The systems whose entries have a Unix mode: Unix and macOS (APPNOTE 4.4.2.2). */
const UNIX = new Set([3, 19]);

async function unpackEntry(
  zip: ZipFile,
  entry: Entry,
  sink: Sink,
  pause: ReturnType<typeof pauses>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const name = nameOf(entry);
  const unixMode = UNIX.has(entry.versionMadeBy >>> 8) ? entry.externalFileAttributes >>> 16 : 0;
  // What Docker on Windows gives to all that it sends to a build, since there is no mode there.
  const mode = unixMode & 0o777 || 0o755;
  const type = unixMode & TYPE.mask;
  if (name.endsWith("/") || type === TYPE.folder) return sink.folder(name, mode);
  if (entry.isEncrypted()) throw new Refused(ENCRYPTED);
  if (type === TYPE.link) return sink.link(name, await targetOf(zip, entry));
  if (type !== TYPE.file && type !== 0) return sink.leaveOut(name);
  const file = sink.file(name, mode);
  try {
    for await (const chunk of contentOf(zip, entry)) {
      signal?.throwIfAborted();
      file?.write(chunk);
      await pause();
    }
  } finally {
    file?.close();
  }
}

async function targetOf(zip: ZipFile, entry: Entry): Promise<string> {
  if (entry.uncompressedSize > MAX_TARGET_BYTES) throw new Refused("it has a link with a target that is too long");
  const chunks: Buffer[] = [];
  for await (const chunk of contentOf(zip, entry)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** The bytes of an entry, whose number and checksum are as stated. */
async function* contentOf(zip: ZipFile, entry: Entry): AsyncGenerator<Buffer> {
  let sum = 0;
  for await (const chunk of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    sum = crc32(chunk, sum);
    yield chunk;
  }
  if (sum !== entry.crc32) throw new Error(`wrong checksum of ${JSON.stringify(nameOf(entry))}`);
}

/** Reads a file at once where the library asks for it: what it throws then reaches its caller. */
class FileReader extends RandomAccessReader {
  constructor(
    readonly descriptor: number,
    readonly size: number,
  ) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    // The archive states the positions, with 64 bits.
    const isInside = position >= 0 && position + length <= this.size;
    const read = isInside ? readSync(this.descriptor, buffer, offset, length, position) : 0;
    callback(read < length ? new Error("unexpected end") : null);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#chunks(start, end), { objectMode: false });
  }

  *#chunks(start: number, end: number): Generator<Buffer> {
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - at));
      const read = readSync(this.descriptor, chunk, 0, chunk.length, at);
      if (read === 0) throw new Error("unexpected end");
      yield chunk.subarray(0, read);
      at += read;
    }
  }
}
