// How the JSON that a service sent and the JSON of the subject are shown, so that a student sees what differs.

/** Of what is shown of a longer text. */
const MAX_CHARACTERS = 160;
/** What is shown before the difference, when the beginning is cut. */
const BEFORE = 60;

/** Two values as they are shown. */
export interface Pair {
  readonly seen: string;
  readonly expected: string;
}

/** What differs. */
export type Difference =
  | { readonly missing: string }
  | { readonly extra: string }
  /** The words that differ of two texts, else two JSON values; of a member of an object, its key. */
  | (Pair & { readonly key: string | undefined });

type Mapping = Readonly<Record<string, unknown>>;
const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Both values in the same notation, with their keys in the same order, cut so that the difference is shown. */
export function inOneNotation(seen: unknown, expected: unknown): Pair {
  const [one, other] = [JSON.stringify(inOrderOf(expected, seen)), JSON.stringify(expected)];
  const start = Math.max(0, prefixOf(one, other) - BEFORE);
  return { seen: cut(one, start), expected: cut(other, start) };
}

/** The value with the keys of its objects in the order of another value's. */
function inOrderOf(other: unknown, value: unknown): unknown {
  if (!isMapping(value) || !isMapping(other)) return value;
  const keys = new Set([...Object.keys(other).filter((key) => Object.hasOwn(value, key)), ...Object.keys(value)]);
  return Object.fromEntries([...keys].map((key) => [key, inOrderOf(other[key], value[key])]));
}

/** How many characters two texts have in common at their beginnings. */
function prefixOf(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length++;
  return length;
}

function cut(words: string, start: number): string {
  if (words.length <= MAX_CHARACTERS) return words;
  const end = start + MAX_CHARACTERS;
  return `${start > 0 ? "…" : ""}${words.slice(start, end)}${end < words.length ? "…" : ""}`;
}

/** The first difference between two values that differ. */
export function firstDifference(seen: unknown, expected: unknown, key?: string): Difference {
  if (isMapping(seen) && isMapping(expected)) {
    const missing = Object.keys(expected).find((one) => !Object.hasOwn(seen, one));
    if (missing !== undefined) return { missing };
    const extra = Object.keys(seen).find((one) => !Object.hasOwn(expected, one));
    if (extra !== undefined) return { extra };
    const other = Object.keys(expected).find((one) => !Bun.deepEquals(seen[one], expected[one], true));
    if (other !== undefined) return firstDifference(seen[other], expected[other], other);
  }
  const words = typeof seen === "string" && typeof expected === "string" ? differentWords(seen, expected) : undefined;
  return { key, ...(words ?? inOneNotation(seen, expected)) };
}

/** The words in which two texts differ, as JSON; with escapes where they look the same. */
function differentWords(seen: string, expected: string): Pair {
  const [ones, others] = [wordsOf(seen), wordsOf(expected)];
  const start = ones.findIndex((word, i) => word !== others[i]);
  const first = start < 0 ? ones.length : start;
  let end = 0;
  const most = Math.min(ones.length, others.length) - first;
  while (end < most && ones.at(-1 - end) === others.at(-1 - end)) end++;
  const rest = (words: readonly string[]) => words.slice(first, words.length - end).join("");
  const [one, other] = [rest(ones), rest(others)];
  if (looksOf(one) !== looksOf(other)) return inOneNotation(one, other);
  return { seen: escaped(one), expected: escaped(other) };
}

/** Words and what is between them. */
const wordsOf = (words: string): readonly string[] => words.split(/(\s+)/);

/** A text without what a reader does not see: how an accent is composed, spaces, and characters without width. */
const looksOf = (words: string) => words.normalize("NFKC").replace(/[\s\p{Cf}]+/gu, "");

/** A text as JSON in which everything but plain characters is escaped. */
const escaped = (words: string) =>
  cut(
    JSON.stringify(words).replace(/[^!-~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`),
    0,
  );
