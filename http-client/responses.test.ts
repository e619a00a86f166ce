import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BodyMemory } from "./body-buffer.ts";
import { ConnectionError, ProtocolError, TooLargeError } from "./errors.ts";
import { Input } from "./input.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { type Answer, parseResponses } from "./responses.ts";

const { maxBody, maxHead } = DEFAULT_LIMITS;

type Outcome = Answer | "malformed" | "too large" | "incomplete";

/** The bytes, cut at these places. */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places
    .map((place, i) => bytes.subarray(place, places[i + 1] ?? bytes.length))
    .filter((piece) => piece.length > 0);
}

/** A parser that is given the bytes as they arrive; `undefined` for a connection that closes. */
function parser() {
  const input = new Input();
  const responses = parseResponses(input, new BodyMemory(DEFAULT_LIMITS));
  const next = () => responses.next().value;
  return {
    next,
    receive(bytes: Buffer | undefined) {
      if (bytes === undefined) input.ended = true;
      else input.push(bytes);
      return next();
    },
    available: () => input.available,
  };
}

/** What the parser makes of bytes that arrive in pieces, cut at these places. */
function read(bytes: Buffer, cuts: readonly number[] = [], closed = false): Outcome {
  const { receive } = parser();
  try {
    for (const piece of cut(bytes, cuts)) {
      const answer = receive(piece);
      if (answer !== undefined) return answer;
    }
    return closed ? (receive(undefined) ?? "incomplete") : "incomplete";
  } catch (error) {
    if (error instanceof ProtocolError) return "malformed";
    if (error instanceof TooLargeError) return "too large";
    if (error instanceof ConnectionError) return "incomplete";
    throw error;
  }
}

const text = (outcome: Outcome) =>
  typeof outcome === "string"
    ? outcome
    : [outcome.status, outcome.body && Buffer.from(outcome.body as Uint8Array).toString("latin1")];

const response = (...lines: string[]) => Buffer.from(lines.join("\r\n"), "latin1");

describe("parses", () => {
  test.each([
    ["a length", response("HTTP/1.1 200 OK", "Content-Length: 2", "", "ab"), true],
    ["a length, with a close", response("HTTP/1.1 200 OK", "connection: Close", "content-length:2", "", "ab"), false],
    ["a length in HTTP/1.0", response("HTTP/1.0 200", "content-length: 2", "", "ab"), false],
    [
      "chunks",
      response("HTTP/1.1 200 OK", "Transfer-Encoding: Chunked", "", "1", "a", "01;x=y", "b", "0", "", ""),
      true,
    ],
    [
      "chunks with a trailer",
      response("HTTP/1.1 200 OK", "transfer-encoding: chunked", "", "2", "ab", "0", "a: b", "", ""),
      true,
    ],
    [
      "a response after an interim one",
      response("HTTP/1.1 103 Hints", "a: b", "", "HTTP/1.1 200 OK", "content-length: 2", "", "ab"),
      true,
    ],
    ["a response with another after it", response("HTTP/1.1 200 OK", "content-length: 2", "", "abHTTP"), true],
  ])("%s", (_what, bytes, reusable) => {
    expect([text(read(bytes)), (read(bytes) as Answer).isReusable]).toEqual([[200, "ab"], reusable]);
  });

  test("a body without a length, up to the close", () => {
    const bytes = response("HTTP/1.1 200 OK", "", "ab");
    expect([text(read(bytes)), text(read(bytes, [], true))]).toEqual(["incomplete", [200, "ab"]]);
  });

  test("a million chunks of a byte each, in pieces that arrive one by one, within 64 MiB", () => {
    const { receive } = parser();
    receive(response("HTTP/1.1 200 OK", "transfer-encoding: chunked", "", ""));
    const chunks = Buffer.from("1\r\na\r\n".repeat(4096));
    Bun.gc(true);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < maxBody / 4096; i++) expect(receive(chunks)).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    expect((receive(Buffer.from("0\r\n\r\n")) as Answer).body).toHaveLength(maxBody);
  });

  test("the body of status 200 only", () => {
    expect(text(read(response("HTTP/1.1 500 X", "content-length: 9", "", "")))).toEqual([500, undefined]);
  });

  test.each(["length", "chunks"])("a body over 1 MiB as too large: %s", (framing) => {
    const head =
      framing === "length" ? `content-length: ${maxBody + 1}\r\n\r\n` : "transfer-encoding: chunked\r\n\r\n100001\r\n";
    const bytes = Buffer.concat([response("HTTP/1.1 200 OK", head), Buffer.alloc(maxBody + 1, " ")]);
    expect(read(bytes)).toBe("too large");
  });
});

test.each([
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
  ["an invalid status", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a bare line feed", "HTTP/1.1 200 OK\r\na: b\n\r\n\r\n"],
  ["a space before the colon", "HTTP/1.1 200 OK\r\ncontent-length : 1\r\n\r\na"],
  ["a folded line", "HTTP/1.1 200 OK\r\na: b\r\n c\r\n\r\n"],
  ["a NUL", "HTTP/1.1 200 OK\r\na: \0\r\n\r\n"],
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\na"],
  ["an invalid length", "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"],
  ["a length and chunks", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"],
  ["another coding", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n"],
  ["an invalid chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x1\r\na"],
  ["a chunk without its line end", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n"],
  ["an endless head", `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(maxHead)}`],
  ["an endless chunk line", `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;${"a".repeat(maxHead)}`],
])("refuses %s", (_what, bytes) => {
  expect(read(Buffer.from(bytes, "latin1"))).toBe("malformed");
});

// Fuzzed; a failure prints the seed and the path that reproduce it.
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
const cuts = fc.array(fc.nat(), { maxLength: 20 });
const field = fc
  .tuple(fc.stringMatching(/^x-[a-z]{1,9}$/), fc.stringMatching(/^[ -~]{0,30}$/))
  .map(([name, value]) => `${name}: ${value}\r\n`);
const chunked = (bytes: Buffer, size: number) => {
  let coded = "";
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    coded += `${piece.length.toString(16)}\r\n${piece.toString("latin1")}\r\n`;
  }
  return `${coded}0\r\n\r\n`;
};
const answer = fc
  .record({
    body,
    fields: fc.array(field, { maxLength: 5 }),
    interim: fc.boolean(),
    framing: fc.constantFrom("length", "chunks"),
    size: fc.integer({ min: 1, max: 99 }),
  })
  .map(({ body, fields, interim, framing, size }) => {
    const [line, coded] =
      framing === "length"
        ? [`Content-Length: ${body.length}`, body.toString("latin1")]
        : ["Transfer-Encoding: chunked", chunked(body, size)];
    const bytes = `${interim ? "HTTP/1.1 100 Continue\r\n\r\n" : ""}HTTP/1.1 200 OK\r\n${fields.join("")}${line}\r\n\r\n${coded}`;
    return { body, bytes: Buffer.from(bytes, "latin1") };
  });

test("any response, cut anywhere, is parsed completely and leaves its connection reusable", () => {
  fc.assert(
    fc.property(answer, cuts, ({ body, bytes }, cuts) => {
      expect(read(bytes, cuts)).toMatchObject({ status: 200, isReusable: true });
      expect(text(read(bytes, cuts))).toEqual([200, body.toString("latin1")]);
    }),
    { numRuns: 1000 },
  );
});

test("consecutive responses are each parsed completely, wherever they are cut", () => {
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 8 }), cuts, (all, cuts) => {
      const bytes = Buffer.concat(all.map(({ bytes }) => bytes));
      const { receive, next, available } = parser();
      const read: Answer[] = [];
      for (const piece of cut(bytes, cuts)) {
        for (let answer = receive(piece); answer !== undefined; answer = next()) read.push(answer);
      }
      expect(read.map(text)).toEqual(all.map(({ body }) => [200, body.toString("latin1")]));
      expect(available()).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test("any bytes give the same result wherever they are cut", () => {
  const broken = fc
    .tuple(answer, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
    .map(([{ bytes }, changes]) => {
      const copy = Buffer.from(bytes);
      for (const [at, byte] of changes) copy[at % copy.length] = byte;
      return copy;
    });
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(fc.oneof(broken, garbage), cuts, (bytes, cuts) => {
      const whole = text(read(bytes, [], true));
      expect(text(read(bytes, cuts, true))).toEqual(whole);
    }),
    { numRuns: 3000 },
  );
});
