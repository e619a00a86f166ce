import { readFileSync } from "node:fs";
import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import { markOf } from "./mark.ts";
import type { Report, RuleInfo } from "./rule.ts";

const MAX_POINTS = 1000;
const EXAMPLE = "write one rule a line, for example: traceback: 4";

/** Thrown if a teacher's file of points cannot be used; the message says where, what is wrong and what to do. */
export class PointsError extends Error {
  override readonly name = "PointsError";
}

/**
 * Reads a teacher's points: a YAML mapping of rule ids to points, 0 to 1000, decimals allowed. Rules that it does not
 * name keep theirs.
 *
 * @param known the rules that there are
 * @returns the points of the rules that the file names
 * @throws {PointsError} with a message of the form `file:line: …`
 */
export function readPoints(file: string, known: readonly RuleInfo[]): ReadonlyMap<string, number> {
  const source = readText(file);
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, prettyErrors: false });
  const fail = (offset: number, message: string): never => {
    throw new PointsError(`${file}:${lines.linePos(offset).line || 1}: ${message}`);
  };
  const [error] = document.errors;
  if (error?.code === "DUPLICATE_KEY") fail(error.pos[0], "this rule is named twice: remove one of the lines");
  if (error?.code === "MULTIPLE_DOCS") fail(error.pos[0], "there is a second list: keep one, without a line of ---");
  if (error !== undefined) fail(error.pos[0], `not valid YAML: ${firstLine(error.message)}: ${EXAMPLE}`);
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) fail(0, `the file is empty: ${EXAMPLE}`);
  if (!isMap(contents)) return fail(contents?.range?.[0] ?? 0, `not a list of rules with their points: ${EXAMPLE}`);

  const points = new Map<string, number>();
  for (const { key, value } of contents.items as { key: Node; value: Node | null }[]) {
    const offset = key.range?.[0] ?? 0;
    const id = isScalar(key) ? String(key.value) : String(key);
    if (!known.some((rule) => rule.id === id)) {
      fail(offset, `there is no rule ${JSON.stringify(id)}: use ${known.map((rule) => rule.id).join(", ")}`);
    }
    const number = isScalar(value) ? value.value : undefined;
    if (typeof number !== "number" || !(number >= 0 && number <= MAX_POINTS)) {
      const seen = isScalar(value) && value.value !== null ? JSON.stringify(value.value) : "not a number";
      return fail(offset, `the points of ${id} are ${seen}: write a number from 0 to ${MAX_POINTS}`);
    }
    points.set(id, number);
  }
  if (known.every((rule) => (points.get(rule.id) ?? rule.points) === 0)) {
    fail(0, "no rule has points, so there would be no mark: give points to at least one rule");
  }
  return points;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new PointsError(
      `${file}: cannot be read (${(error as Error).message}): check the path of the file of points`,
    );
  }
}

const firstLine = (message: string) => message.split("\n", 1)[0];

/** The report with a teacher's points, and its mark computed again, still out of 20. */
export function withPoints(report: Report, points: ReadonlyMap<string, number>): Report {
  const results = report.results.map((result) => {
    const { id, title, source, points: usual } = result.rule;
    return { ...result, rule: { id, title, source, points: points.get(id) ?? usual } };
  });
  return { ...report, results, mark: markOf(results) };
}
