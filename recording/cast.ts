// asciinema's recordings, as in https://docs.asciinema.org/manual/asciicast/v2/

/** Something that was printed, and when, in seconds from the start. */
export interface Printed {
  readonly at: number;
  readonly text: string;
}

export interface Cast {
  readonly columns: number;
  readonly rows: number;
  /** When it was recorded, in seconds since 1970. */
  readonly recorded: number;
  readonly printed: readonly Printed[];
}

/** @throws {Error} if it is not in version 2 of the format */
export function parseCast(file: string): Cast {
  const [header = "", ...events] = file.trimEnd().split("\n");
  const { version, width, height, timestamp } = JSON.parse(header);
  if (version !== 2) throw new Error(`a recording in version ${version} of asciinema's format; expected version 2`);
  const printed = events
    .map((event) => JSON.parse(event) as [number, string, string])
    .filter(([, type]) => type === "o")
    .map(([at, , text]) => ({ at, text }));
  return { columns: width, rows: height, recorded: timestamp, printed };
}

/** The header has none of the recorder's environment variables. */
export function formatCast({ columns, rows, recorded, printed }: Cast): string {
  const header = { version: 2, width: columns, height: rows, timestamp: recorded };
  const events = printed.map(({ at, text }) => [Number(at.toFixed(3)), "o", text]);
  return [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join("");
}
