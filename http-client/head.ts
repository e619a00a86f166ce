import { ProtocolError } from "./errors.ts";

/** What the head of a response says about the rest of it. */
export interface Head {
  readonly status: number;
  /** Bytes of the body; infinite if it ends with the connection (RFC 9112, section 6.3). */
  readonly length: number | "chunked";
  /** Whether the connection stays open after the response (section 9.3). */
  readonly keepAlive: boolean;
}

/** A status line and fields, each with its line end (sections 4 and 5); no obsolete line folding. */
const HEAD = /^HTTP\/1\.[01] [1-9]\d\d(?: [^\r\n\0]*)?\r\n(?:[\w!#$%&'*+.^`|~-]+:[^\r\n\0]*\r\n)*\r\n$/;

/** @throws {ProtocolError} if the text is not the head of a response, or its framing is ambiguous */
export function parseHead(text: string): Head {
  if (!HEAD.test(text)) throw new ProtocolError("the head is not valid");
  const lowerCase = text.toLowerCase();
  const coding = fieldOf(lowerCase, "transfer-encoding");
  const length = fieldOf(lowerCase, "content-length");
  // Both at once are an attempt at request smuggling (section 6.1); the request accepts no other coding.
  const isChunked = coding === "chunked" && length === undefined;
  if (coding !== undefined && !isChunked) throw new ProtocolError("the transfer coding is not supported");
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new ProtocolError("the length is not valid");
  return {
    status: Number(text.slice(9, 12)),
    length: isChunked ? "chunked" : Number(length ?? Number.POSITIVE_INFINITY),
    keepAlive:
      (isChunked || length !== undefined) &&
      text.startsWith("HTTP/1.1") &&
      !/\r\nconnection:[^\r]*\bclose\b/.test(lowerCase),
  };
}

/** The value of a field that may occur once only, in a head of lower case. */
function fieldOf(head: string, name: string): string | undefined {
  const [, value, repeated] = head.split(`\r\n${name}:`, 3);
  if (repeated !== undefined) throw new ProtocolError(`${name} is given twice`);
  return value?.slice(0, value.indexOf("\r\n")).trim();
}
