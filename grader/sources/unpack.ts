import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import { pipeline, type Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { LIMITS } from "../safety/copy.ts";
import { type Kind, kindOf } from "./archive.ts";
import { Refused, ungradable } from "./refused.ts";
import { Sink } from "./sink.ts";
import { unpackTar } from "./tar.ts";
import { unpackZip } from "./zip.ts";

/** What bounds the unpacking of an archive, or of a repository. */
export interface UnpackOptions {
  readonly limits?: typeof LIMITS;
  /** Ends it; the promise is then rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How the teacher calls it; else an archive is called by its file's name, a repository by its address. */
  readonly name?: string | undefined;
}

/** What the machine reads, and a teacher can make of any other. */
const ADVICE = "only .zip, .tar.gz and .tar are read: ask for one, or unpack it and name the folder";

/**
 * Unpacks an archive. Its kind is told by its content, not by its name. It may be anybody's: nothing is written outside
 * of the new folder, and no more than the limits.
 *
 * @param file the archive
 * @param to a folder that does not exist yet; incomplete after an error
 * @throws {Ungradable} if it is no archive, of a kind that is not read, damaged, encrypted or hostile
 */
export async function unpack(file: string, to: string, options: UnpackOptions = {}): Promise<void> {
  const { limits = LIMITS, signal, name = basename(file) } = options;
  try {
    signal?.throwIfAborted();
    const kind = kindOf(file);
    if (kind === undefined) throw new Refused(statSync(file).size === 0 ? "it is empty" : "it is not an archive");
    const sink = new Sink(to, limits);
    await READERS[kind](file, sink, signal);
    sink.finish();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw ungradable(name, error);
  }
}

type Reader = (file: string, sink: Sink, signal?: AbortSignal) => Promise<void>;

/** Unpacks the tar in a file, which may be compressed. */
const tarIn =
  (decompressor?: () => Transform): Reader =>
  async (file, sink, signal) => {
    const bytes = createReadStream(file);
    if (decompressor === undefined) return unpackTar(bytes, sink, signal);
    const decompressed = decompressor();
    // An error of the file is told by the decompressed stream, and ending early closes the file.
    pipeline(bytes, decompressed, () => {});
    await unpackTar(decompressed, sink, signal);
  };

const unread =
  (kind: string): Reader =>
  () =>
    Promise.reject(new Refused(`it is ${kind}; ${ADVICE}`));

const READERS: Readonly<Record<Kind, Reader>> = {
  zip: unpackZip,
  tar: tarIn(),
  gzip: tarIn(createGunzip),
  zstd: tarIn(createZstdDecompress),
  RAR: unread("a RAR archive"),
  "7z": unread("a 7z archive"),
  xz: unread("compressed with xz"),
  bzip2: unread("compressed with bzip2"),
};
