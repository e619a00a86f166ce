import type { WithReport } from "../../graded.ts";
import { type Columns, comparable } from "./columns.ts";
import { type Line, WorksheetError } from "./worksheet.ts";

/**
 * The submission of each line: by Moodle's number of the participant; for a submission that has none by the full name,
 * if only one line and one such submission have it.
 */
export function match(lines: readonly Line[], rows: readonly WithReport[], columns: Columns): Map<Line, WithReport> {
  const numbers = unique(
    lines,
    (line) => participantOf(line, columns),
    (line, number) => {
      throw new WorksheetError(
        `line ${line.number}: participant ${number} is there twice: download the worksheet again`,
      );
    },
  );
  const ofNumber = unique(rows, ({ participant }) => participant);
  const ofName = unique(rows, ({ participant, name }) => (participant === undefined ? comparable(name) : undefined));
  const names = unique(lines, ({ cells }) =>
    columns.name === undefined ? undefined : comparable(cells[columns.name] ?? ""),
  );
  const matches = new Map<Line, WithReport>();
  for (const [name, row] of ofName) {
    const line = names.get(name);
    if (line !== undefined) matches.set(line, row);
  }
  // Later, so that a number has the last word on a line.
  for (const [number, row] of ofNumber) {
    const line = numbers.get(number);
    if (line !== undefined) matches.set(line, row);
  }
  return matches;
}

/** What has a key that nothing else has. */
function unique<T>(
  all: readonly T[],
  keyOf: (one: T) => string | undefined,
  onDuplicate: (one: T, key: string) => void = () => {},
): Map<string, T> {
  const found = new Map<string, T>();
  const duplicates = new Set<string>();
  for (const one of all) {
    const key = keyOf(one);
    if (key === undefined) continue;
    if (found.has(key)) {
      duplicates.add(key);
      onDuplicate(one, key);
    }
    found.set(key, one);
  }
  for (const key of duplicates) found.delete(key);
  return found;
}

/** The number at the end of the identifier: `Participant 1234567`, in French without a space. */
const participantOf = ({ cells }: Line, { identifier }: Columns): string | undefined =>
  /\d+(?=\s*$)/.exec(cells[identifier] ?? "")?.[0];
