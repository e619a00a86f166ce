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
export const stringify = (value: unknown): string => `${escapeNonAscii(JSON.stringify(value, null, 2))}\n`;

/** A loop, since `replace` with a function takes three times as long. */
function escapeNonAscii(text: string): string {
  let escaped = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // What JSON.stringify leaves below the space is its line breaks.
    if (code < 127) continue;
    escaped += `${text.slice(from, i)}\\u${code.toString(16).padStart(4, "0")}`;
    from = i + 1;
  }
  return escaped + text.slice(from);
}

export const JSON_TYPE = { "content-type": "application/json" };
/** Made once: for each answer anew they would take longer than its text. */
const OK = { headers: new Headers(JSON_TYPE) };

/** A `stringify`d answer; 200 unless told otherwise. */
export const json = (value: unknown, init: ResponseInit = OK): Response => new Response(stringify(value), init);

/** Numbers that JavaScript would write otherwise than they came: fractions, exponents, -0, more than 15 digits. */
const UNEXACT = /(?:^|[\s,:[])-?(?:\d+[.eE]|\d{16})|-0/;

/**
 * Reads JSON so that `stringify` writes it with the numbers as they came: JavaScript's own would turn
 * 12345678901234567890 into 12345678901234567000, and 1.0 into 1.
 *
 * @throws {SyntaxError} where the text is not JSON, or nests so deep that its layout would fill the memory
 */
export function parse(text: string): unknown {
  if (layoutSize(text) > MAX_LAYOUT) throw new SyntaxError("JSON nested too deep to be laid out");
  if (!UNEXACT.test(text)) return JSON.parse(text);
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
