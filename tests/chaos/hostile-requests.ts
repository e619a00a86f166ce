// Generators of malformed and hostile requests.
import fc from "fast-check";
import { rawRequest } from "../../testing/raw-http.ts";

/** What one connection sends, and how. */
export interface HostileRequest {
  /** As latin1. */
  readonly bytes: string;
  /** How many bytes are sent at once. */
  readonly chunkSize: number;
  /** What the client does after the last byte. "stay" closes its side after a response, "wait" never does. */
  readonly end: "half-close" | "stay" | "wait" | "leave" | "reset";
}

const randomBytes = (maxLength: number) =>
  fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength });
const oneOf = (...lists: string[]) => fc.constantFrom(...lists.flatMap((list) => list.split("|")));
/** The valid value in three of four cases: a request with too many faults is rejected at its first. */
const mostly = (valid: string, ...lists: string[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(valid) }, { weight: 1, arbitrary: oneOf(...lists) });
const concat = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(""));

const METHOD = mostly("GET", "POST|HEAD|PUT|DELETE|OPTIONS|TRACE|CONNECT|BREW|get|G\0T||\r\nGET|\xff", "G".repeat(9e3));
const TARGET = mostly(
  "/",
  "/healthz|/none|//|/../../etc/passwd|/..%2f..%2f|/./|\\|?|#||none|/%|/%zz|/%00|/%c0%ae|/\0|/\x01|/\x7f|/\xff|/a b",
  "http://localhost/|http://|http://[::1|http://a:99999/|ftp://a/|localhost:80|:|*|//a@b/|/?%|/?\r|/?\n|/\xed\xa0\x80",
  ...[`/${"a".repeat(2e4)}`, "/%61".repeat(9e3), `/?${"a=1&".repeat(2e3)}`, "/..".repeat(900)],
);
const VERSION = mostly(
  "HTTP/1.1",
  "HTTP/1.0|HTTP/0.9|HTTP/1.2|HTTP/2.0|HTTP/11|http/1.1|HTTX/1.1|HTTP/1.1 |HTTP/1.1\0||H",
);
const HOST = mostly(
  "Host: localhost",
  "Host: a\r\nHost: b|X: no host|Host:|Host: a b|Host: [::|Host: a/b?|Host: \0|Host: \xff|Host: a@b|Host : a|host:\ta",
  `Host: ${"a".repeat(9e3)}`,
);
/** Names that one parser accepts as the field's and another does not: RFC 9112, section 5.1. */
const disguised = (name: string) =>
  mostly(`${name}:`, `${name} :| ${name}:|${name}\t:|${name}\0:|X: a\n${name}:|${name.replace("-", "_")}:`);
const LENGTH = oneOf(
  "0|1|5|48|00005|65536|65537|4294967296|9223372036854775807|18446744073709551616|5,5|-1|+5|0x5|5a|5, 6|| |5 5|1e1|5.0",
  ...["5\0", "\xd9\xa5", "9".repeat(400)],
);
const CODING = oneOf(
  "chunked|CHUNKED|\tchunked |xchunked|chunked, identity|identity, chunked|chunked, chunked|gzip|\x0bchunked|chunk\0ed",
  '"chunked"|chunked;a=b||,|\r\n chunked',
);
const OTHER_FIELD = oneOf(
  "Expect: 100-continue|Expect: x|Connection: close|Connection: Upgrade|Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk|TE: x",
  "Upgrade: websocket\r\nSec-WebSocket-Key: x|If-Match: x|If-None-Match: *|Range: bytes=0-,9-1|Trailer: X|\r\n\r\n",
  "X|: a|:|X : a| X: a|X: a\r\n b|X: a\n b|X: a\rb|X: \0|X\0: a|\x7f: \x01\x02|X: \x1b[2J|\xff: \xff",
  ...[`X: ${"a".repeat(9e4)}`, `${"a".repeat(9e3)}: a`, "X: a\r\n".repeat(4e3), "X: a\r\n".repeat(190)],
);
const FRAMING = [concat(disguised("Content-Length"), LENGTH), concat(disguised("Transfer-Encoding"), CODING)];
const FIELD = fc.oneof(...FRAMING, OTHER_FIELD, OTHER_FIELD, randomBytes(60));
const CHUNK = concat(
  mostly("3", "0|3;a=b|3 | 3|-3|+3|0x3||zz|3\0", "F".repeat(17), `3;${"a".repeat(9e3)}`),
  ...[mostly("\r\n", "\n|\r|\r\r\n"), mostly("abc", "|abcd|\r\n"), mostly("\r\n", "\n|")],
);
const LAST_CHUNK = mostly("0\r\n\r\n", "0\r\nX: a\r\n\r\n|0\r\nX : \0\r\n\r\n|0\n\n|");
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CONTENT = fc.oneof(
  oneOf("", SMUGGLED, `0\r\n\r\n${SMUGGLED}`),
  randomBytes(99),
  concat(CHUNK, CHUNK, LAST_CHUNK),
);
const SPACE = fc.oneof({ weight: 19, arbitrary: fc.constant(" ") }, oneOf("|  |\t|\x0b|\0"));
const EOL = fc.oneof({ weight: 9, arbitrary: fc.constant("\r\n") }, oneOf("\n|\r|\r\r\n|\n\r"));
const COMPOSED = fc
  .tuple(concat(METHOD, SPACE, TARGET, SPACE, VERSION), HOST, fc.array(FIELD, { maxLength: 3 }), EOL, CONTENT)
  .map(([line, host, fields, eol, content]) => [line, host, ...fields, "", content].join(eol));

/** A valid request that keeps its connection open. */
const keepAlive = (...request: Parameters<typeof rawRequest>) =>
  rawRequest(...request).replace("Connection: close\r\n", "");
const CHUNKED = keepAlive("POST", "/", "Transfer-Encoding: chunked");
const VALID = fc.constantFrom(
  ...[
    keepAlive("GET", "/"),
    keepAlive("HEAD", "/healthz"),
    keepAlive("OPTIONS", "/"),
    rawRequest("PUT", "/none"),
    SMUGGLED,
  ],
  ...[`${keepAlive("POST", "/", "Content-Length: 3")}abc`, `${CHUNKED}3\r\nabc\r\n0\r\n\r\n`],
);
const EDITS = fc.array(fc.tuple(fc.nat(150), fc.nat(3), randomBytes(4)), { minLength: 1, maxLength: 6 });
const MUTATED = fc
  .tuple(VALID, EDITS)
  .map(([valid, edits]) =>
    edits.reduce((all, [at, removed, inserted]) => all.slice(0, at) + inserted + all.slice(at + removed), valid),
  );
const INCOMPLETE = fc.tuple(fc.oneof(VALID, COMPOSED), fc.nat(300)).map(([all, at]) => all.slice(0, at));
/** Several requests in a row, with an incomplete one before or after them. */
const PIPELINED = fc
  .tuple(fc.array(fc.oneof(VALID, COMPOSED), { minLength: 1, maxLength: 20 }), INCOMPLETE, fc.boolean())
  .map(([complete, incomplete, incompleteFirst]) =>
    (incompleteFirst ? [incomplete, ...complete] : [...complete, incomplete]).join(""),
  );
const TLS_OR_HTTP2 = "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03|PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const OTHER_PROTOCOL = concat(oneOf("", TLS_OR_HTTP2), randomBytes(600));

/** Whether the service may read `GET /traceback`, and crash: the bytes contain that word, percent-encoded or not. */
const mayCrash = (bytes: string) =>
  /traceback/i.test(bytes.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))));

// Placed only where no server may act on it: one that does crashes, and the test fails.
const CRASH_REQUEST = "GET /traceback HTTP/1.1\r\nHost: localhost\r\n\r\n";
const HIDDEN_CRASH_REQUEST = fc.oneof(
  // As the content of another request: RFC 9112, section 6.
  oneOf("POST|GET|HEAD|PUT|OPTIONS").map(
    (method) => keepAlive(method, "/", `Content-Length: ${CRASH_REQUEST.length}`) + CRASH_REQUEST,
  ),
  fc.constant(`${CHUNKED}${CRASH_REQUEST.length.toString(16)}\r\n${CRASH_REQUEST}\r\n0\r\n\r\n`),
  // After content whose end is unknown: sections 5.1, 6.1, 6.3 and 7.1.
  oneOf(
    ...["-1", "+5", "0x5", "5a", "5, 6", "5 5", "1e1", "5.0", "5\r\nContent-Length: 6"].map(
      (n) => `Content-Length: ${n}`,
    ),
    ...["gzip", "xchunked", "chunked, identity", "\x0bchunked"].map((coding) => `Transfer-Encoding: ${coding}`),
    "Content-Length : 5|Transfer-Encoding : chunked|Content-Length: 5\r\nTransfer-Encoding: chunked",
  ).map((field) => `${keepAlive("POST", "/", field)}0\r\n\r\n${CRASH_REQUEST}`),
  oneOf("zz|-1|+0|0x0| 0|\r\n|FFFFFFFFFFFFFFFFF|3\r\nabcd|0\r\nX: a").map(
    (size) => `${CHUNKED}${size}\r\n${CRASH_REQUEST}`,
  ),
  // After the last request of a connection: section 9.6.
  oneOf("GET|HEAD|POST|DELETE").map((method) => rawRequest(method, "/") + CRASH_REQUEST),
  // Incomplete (section 8), without Host (3.2), or with another version (2.3), method or path.
  fc.nat(CRASH_REQUEST.length - 1).map((length) => CRASH_REQUEST.slice(0, length)),
  oneOf("|Host : localhost\r\n").map((host) => CRASH_REQUEST.replace("Host: localhost\r\n", host)),
  oneOf("HEAD|POST|OPTIONS|get|GETX").map((method) => CRASH_REQUEST.replace("GET", method)),
  oneOf("/|;a|%00|\0|\xff|%20").map((more) => CRASH_REQUEST.replace("back", `back${more}`)),
  fc.constant(CRASH_REQUEST.replace("1.1", "2.0")),
);

const HARMLESS = fc.oneof({ weight: 4, arbitrary: COMPOSED }, MUTATED, INCOMPLETE, PIPELINED, OTHER_PROTOCOL);
export const HOSTILE_REQUEST: fc.Arbitrary<HostileRequest> = fc.record({
  bytes: fc.oneof({ weight: 4, arbitrary: HARMLESS.filter((bytes) => !mayCrash(bytes)) }, HIDDEN_CRASH_REQUEST),
  chunkSize: fc.oneof(fc.constant(1e6), fc.integer({ min: 1, max: 64 })),
  end: fc.constantFrom("half-close", "stay", "half-close", "stay", "leave", "reset"),
});
