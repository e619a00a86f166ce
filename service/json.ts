// ECMAScript's "JSON.parse source text access", which TypeScript's library does not declare yet.
declare global {
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
    rawJSON(text: string): unknown;
  }
}

/** Characters that an answer may take when it is laid out; far more than any backend of the lab sends. */
const MAX_LAYOUT = 16 * 1024 * 1024;

/**
 * JSON text laid out as Flask's `jsonify` does in the lab's originals: two-space indent, everything but printable
 * ASCII as lower-case `\uXXXX`, one newline at the end.
 */
export const stringify = (value: unknown): string =>
  `${JSON.stringify(value, null, 2).replace(
    /[^ -~\n]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )}\n`;

/** A `stringify`d answer. */
export const json = (value: unknown, init: { status?: number; headers?: Record<string, string> } = {}): Response =>
  new Response(stringify(value), { ...init, headers: { "content-type": "application/json", ...init.headers } });

/**
 * Reads JSON so that `stringify` writes it with the numbers as they came: JavaScript's own would turn
 * 12345678901234567890 into 12345678901234567000, and 1.0 into 1.
 *
 * @throws {SyntaxError} where the text is not JSON, or nests so deep that its layout would fill the memory
 */
export function parse(text: string): unknown {
  if (layoutSize(text) > MAX_LAYOUT) throw new SyntaxError("JSON nested too deep to be laid out");
  if (!/[.eE-]|\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? JSON.rawJSON(source) : value,
  );
}

/** About as many characters as the text takes once it is laid out: the indent grows with the square of the depth. */
function layoutSize(text: string): number {
  // Text this short cannot grow past the limit, however deep it is.
  if (text.length < 2048) return text.length;
  let size = text.length;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (inString) {
      if (char === "\\") i++;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === "," || char === "[" || char === "{" || char === "]" || char === "}") {
      if (char === "[" || char === "{") depth++;
      if (char === "]" || char === "}") depth--;
      size += 2 * depth;
    }
  }
  return size;
}
