// Moodle's grading worksheet as text: how it is read, and which column is which.

import { CsvError, type Info, parse } from "csv-parse/sync";

/** Thrown if a file is not a worksheet that can be filled in; the message says where, what is wrong and what to do. */
export class WorksheetError extends Error {
  override readonly name = "WorksheetError";
}

const BYTE_ORDER_MARK = "\ufeff";
const DELIMITERS = [",", ";", "\t"];
const RECORD_DELIMITERS = ["\r\n", "\n", "\r"];

export interface Line {
  /** Exactly as the file has it, with its line end and blank lines before it. */
  readonly text: string;
  readonly cells: readonly string[];
  /** Its last line in the file, from 1. */
  readonly number: number;
}

export interface Worksheet {
  /** The byte order mark, or nothing. */
  readonly mark: string;
  /** A comma as Moodle writes it, a semicolon from a French Excel, or a tab. */
  readonly delimiter: string;
  readonly head: Line;
  readonly lines: readonly Line[];
  /** Blank lines at the end. */
  readonly rest: string;
}

/** The text of a worksheet: UTF-8, as Moodle writes it, else windows-1252 or UTF-16, as Excel saves it. Keeps a byte order mark. */
export function decodeWorksheet(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** @throws {WorksheetError} if it is empty or not CSV */
export function readWorksheet(file: string): Worksheet {
  const mark = file.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  const text = file.slice(mark.length);
  const delimiter = delimiterOf(text);
  const bytes = Buffer.from(text);
  let start = 0;
  const lines = parseCsv(text, delimiter).map(({ record, info }) => {
    // Cut by the parser's count of bytes, as its `raw` loses the second half of CRLF.
    const line = { text: bytes.subarray(start, info.bytes).toString(), cells: record, number: info.lines };
    start = info.bytes;
    return line;
  });
  const [head, ...others] = lines;
  if (head === undefined) throw new WorksheetError("the worksheet is empty: download it again from Moodle");
  return { mark, delimiter, head, lines: others, rest: bytes.subarray(start).toString() };
}

function parseCsv(text: string, delimiter: string, count = -1): { record: string[]; info: Info }[] {
  const options = { delimiter, record_delimiter: RECORD_DELIMITERS, skip_empty_lines: true, info: true, to: count };
  try {
    // With `info`, each item is an object, which the library's types do not say.
    return parse(text, options) as unknown as { record: string[]; info: Info }[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as CsvError & { lines?: number };
    throw new WorksheetError(`line ${lines ?? "?"}: not valid CSV (${error.message}): save the file again as CSV`);
  }
}

/** The one that splits the line of headers into most columns. */
function delimiterOf(text: string): string {
  const [best] = DELIMITERS.map((delimiter) => ({ delimiter, columns: countColumns(text, delimiter) })).sort(
    (a, b) => b.columns - a.columns,
  );
  return best?.delimiter ?? ",";
}

function countColumns(text: string, delimiter: string): number {
  try {
    return parseCsv(text, delimiter, 1)[0]?.record.length ?? 0;
  } catch {
    return 0;
  }
}
