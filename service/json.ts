// The ECMAScript proposal "JSON.parse source text access", which TypeScript does not declare yet.
declare global {
  interface JSON {
    parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown;
    rawJSON(text: string): unknown;
  }
}

/** Characters that a formatted response may have; far more than any backend of the lab sends. */
const MAX_FORMATTED = 16 * 1024 * 1024;

/**
 * JSON text formatted as by Flask's `jsonify` in the lab's original services: two-space indent, everything but
 * printable ASCII escaped as lower-case `\uXXXX`, one newline at the end.
 */
export const stringify = (value: unknown): string => `${escapeNonAscii(JSON.stringify(value, null, 2))}\n`;

/** A loop, because `replace` with a function takes three times as long. */
function escapeNonAscii(text: string): string {
  let escaped = "";
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    // Below the space JSON.stringify leaves nothing but its line breaks.
    if (code < 127) continue;
    escaped += `${text.slice(from, i)}\\u${code.toString(16).padStart(4, "0")}`;
    from = i + 1;
  }
  return escaped + text.slice(from);
}

export const JSON_TYPE = { "content-type": "application/json" };
/** Created once: doing so for each response takes longer than formatting it. */
const OK = { headers: new Headers(JSON_TYPE) };

/** A JSON response, with status 200 by default. */
export const json = (value: unknown, init: ResponseInit = OK): Response => new Response(stringify(value), init);

/** Numbers that JavaScript may print differently: fractions, exponents, -0, more than 15 digits. */
const INEXACT = /(?:^|[\s,:[])-?(?:\d+[.eE]|\d{16})|-0/;

/**
 * Parses JSON so that `stringify` keeps its numbers as they were written: JavaScript would turn 12345678901234567890
 * into 12345678901234567000, and 1.0 into 1.
 *
 * @throws {SyntaxError} if the text is not JSON, or nested so deeply that the formatted text would fill the memory
 */
export function parse(text: string): unknown {
  if (formattedSize(text) > MAX_FORMATTED) throw new SyntaxError("JSON is nested too deeply");
  if (!INEXACT.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? JSON.rawJSON(source) : value,
  );
}

/** Roughly how many characters the formatted text has: the indent grows with the square of the depth. */
function formattedSize(text: string): number {
  // A text this short cannot exceed the limit, however deeply it is nested.
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
