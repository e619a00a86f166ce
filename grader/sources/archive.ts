import { extname } from "node:path";
import { attempt } from "../attempt.ts";
import { beginningOf } from "./beginning.ts";

/** The formats that are read, and those that are told apart only to name them. */
export type Kind = "zip" | "gzip" | "zstd" | "tar" | "RAR" | "7z" | "xz" | "bzip2";

const ascii = (text: string) => Buffer.from(text, "latin1");

/**
 * The first bytes by which each format says what it is: PKWARE's APPNOTE 4.3 (a file, the end of an empty archive, a
 * spanned one), RFC 1952, RFC 8878, the RAR, 7z and xz format descriptions, and bzip2's header.
 */
const MAGIC: readonly (readonly [Kind, Buffer])[] = [
  ["zip", ascii("PK\x03\x04")],
  ["zip", ascii("PK\x05\x06")],
  ["zip", ascii("PK\x07\x08")],
  ["gzip", ascii("\x1f\x8b")],
  ["zstd", ascii("\x28\xb5\x2f\xfd")],
  ["RAR", ascii("Rar!\x1a\x07")],
  ["7z", ascii("7z\xbc\xaf\x27\x1c")],
  ["xz", ascii("\xfd7zXZ\x00")],
  ["bzip2", ascii("BZh")],
];

const TAR_BLOCK_BYTES = 512;

/** The format of a file, told by its content; `undefined` if it is no archive, or cannot be read. */
export function kindOf(file: string): Kind | undefined {
  const head = attempt(() => beginningOf(file, TAR_BLOCK_BYTES));
  if (head === undefined) return undefined;
  const [kind] = MAGIC.find(([, magic]) => head.subarray(0, magic.length).equals(magic)) ?? [];
  return kind ?? (isTarHeader(head) ? "tar" : undefined);
}

/**
 * Whether a block has the checksum that POSIX's pax(1) prescribes for a header: the sum of all its bytes, those of the
 * checksum taken as spaces. Tars older than `ustar` have no other mark. An empty tar has no header but zeros.
 */
function isTarHeader(block: Buffer): boolean {
  if (block.length < TAR_BLOCK_BYTES) return false;
  const [start, end] = [148, 156];
  const stated = Number.parseInt(block.toString("latin1", start, end).trim(), 8);
  const sum = block.reduce((total, byte, at) => total + (at >= start && at < end ? 0x20 : byte), 0);
  return stated === sum || block.every((byte) => byte === 0);
}

const ARCHIVE_NAME = /\.(zip|tar|tgz|tar\.\w+|gz|tbz2?|txz|tzst|rar|7z|xz|bz2)$/i;

/** Documents and programs that are zip archives inside. */
const DOCUMENTS = new Set(
  ".docx .docm .dotx .xlsx .xlsm .pptx .odt .ods .odp .odg .epub .jar .war .apk .vsix .whl .key .pages .numbers .drawio .xpi".split(
    " ",
  ),
);

/** Whether a file is an archive, or is meant as one by its name. */
export const isArchive = (file: string): boolean =>
  ARCHIVE_NAME.test(file) || (!DOCUMENTS.has(extname(file).toLowerCase()) && kindOf(file) !== undefined);

/** The name of an archive without what tells its format. */
export const withoutExtension = (name: string): string => name.replace(ARCHIVE_NAME, "") || name;
