import { Parser, type ReadEntry } from "tar";
import { pauses } from "../pauses.ts";
import { Refused } from "./refused.ts";
import type { Sink, SinkFile } from "./sink.ts";

/** For each entry a header, and before it a header and a text of its own for a long name. */
const HEADER_BYTES = 4 * 512;

/**
 * Unpacks a tar, without holding it in memory.
 *
 * @param chunks its bytes, decompressed
 * @throws {Refused} if it is damaged, or would be written where it must not
 */
export async function unpackTar(chunks: AsyncIterable<Uint8Array>, sink: Sink, signal?: AbortSignal): Promise<void> {
  const state: State = { ended: false, warning: undefined, file: undefined };
  const parser = new Parser({
    brotli: false,
    zstd: false,
    onwarn(code, message) {
      if (code !== "TAR_ENTRY_INFO") state.warning ??= String(message);
    },
    onReadEntry: (entry) => receive(entry, sink, state),
  });
  parser.on("eof", () => {
    state.ended = true;
  });
  try {
    await parse(chunks, parser, state, sink, signal);
  } finally {
    state.file?.close();
  }
}

/** What the parser has told so far, while it parses a chunk. */
interface State {
  /** Whether the mark of the end was there. */
  ended: boolean;
  warning: string | undefined;
  /** The one that is being written. */
  file: SinkFile | undefined;
}

async function parse(
  chunks: AsyncIterable<Uint8Array>,
  parser: Parser,
  state: State,
  sink: Sink,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Headers that only describe are no entries: a file of a few MiB may decompress to them without end.
  const maxBytes = sink.tally.limits.bytes + sink.tally.limits.entries * HEADER_BYTES;
  const pause = pauses();
  let bytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    const { buffer, byteOffset, byteLength } = chunk;
    const block = Buffer.from(buffer, byteOffset, byteLength);
    // The library would decompress it on its own.
    if (bytes === 0 && block[0] === 0x1f && block[1] === 0x8b) throw new Refused("it is compressed twice");
    bytes += block.length;
    if (bytes > maxBytes) throw sink.tally.exceeded("bytes");
    // What comes after the end mark is padding.
    if (!state.ended) parser.write(block);
    if (state.warning !== undefined) break;
    await pause();
  }
  if (state.warning === undefined && !state.ended) parser.end();
  if (state.warning !== undefined) throw new Refused(`it is damaged, or no tar (${state.warning})`);
  if (!state.ended) throw new Refused("it is damaged: its end is missing");
}

/** Writes an entry as its bytes come; called and calling back synchronously, while a chunk is parsed. */
function receive(entry: ReadEntry, sink: Sink, state: State): void {
  const { path, type } = entry;
  const mode = entry.mode ?? 0o755;
  if (type === "Directory" || type === "GNUDumpDir") sink.folder(path, mode);
  else if (type === "SymbolicLink") sink.link(path, entry.linkpath ?? "");
  else if (type === "Link") sink.hardLink(path, entry.linkpath ?? "");
  else if (type === "File" || type === "OldFile" || type === "ContiguousFile") state.file = sink.file(path, mode);
  else sink.leaveOut(path);
  entry.on("data", (chunk) => state.file?.write(chunk));
  entry.on("end", () => {
    state.file?.close();
    state.file = undefined;
  });
  entry.resume();
}
