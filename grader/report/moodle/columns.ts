import { type Line, WorksheetError } from "./worksheet.ts";

/**
 * The headers of the columns in English and French. Moodle's importer finds them by the texts of the site's language:
 * https://github.com/moodle/moodle/blob/main/mod/assign/gradingtable.php, mod/assign/lang/en/assign.php and
 * mod/assign/feedback/comments/lang; the French ones are those of its language packs for Moodle 3.2 to 4.4.
 */
const HEADERS = {
  identifier: ["Identifier", "Identifiant"],
  name: ["Full name", "Nom complet"],
  grade: ["Grade", "Note"],
  maximum: ["Maximum grade", "Note maximale"],
  scale: ["Scale", "Barème"],
  changeable: ["Grade can be changed", "La note peut être modifiée"],
  feedback: ["Feedback comments", "Feedback par commentaires"],
} as const;

/** The index of each column that is there. */
export type Columns = { readonly identifier: number; readonly grade: number } & {
  readonly [column in "name" | "maximum" | "changeable" | "feedback"]: number | undefined;
};

/** @throws {WorksheetError} if it has no column for identifiers or grades, or grades by a scale of words */
export function columnsOf({ cells, number }: Line): Columns {
  const find = (column: keyof typeof HEADERS) => {
    const names = HEADERS[column].map(comparable);
    const index = cells.findIndex((cell) => names.includes(comparable(cell)));
    return index < 0 ? undefined : index;
  };
  const seen = `the headers are ${cells.map((cell) => JSON.stringify(cell)).join(", ")}`;
  const require = (column: "identifier" | "grade") => {
    const index = find(column);
    if (index !== undefined) return index;
    const names = HEADERS[column].map((name) => JSON.stringify(name)).join(" or ");
    throw new WorksheetError(`line ${number}: no column ${names}: ${seen}: download the grading worksheet from Moodle`);
  };
  const columns = {
    identifier: require("identifier"),
    grade: require("grade"),
    name: find("name"),
    maximum: find("maximum"),
    changeable: find("changeable"),
    feedback: find("feedback"),
  };
  if (columns.maximum === undefined && find("scale") !== undefined) {
    throw new WorksheetError(`line ${number}: Moodle grades by a scale here: set the assignment's grade to points`);
  }
  return columns;
}

/** A text without what does not distinguish it: upper case, repeated spaces, how an accent is composed. */
export const comparable = (words: string): string => words.normalize("NFC").replace(/\s+/g, " ").trim().toLowerCase();
