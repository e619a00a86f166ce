// Bad input on the wire: thousands of generated requests, malformed or hostile, at both compiled executables.
// WIRE_SEED=<n> sends the requests of an earlier run again, CHAOS=full five times as many.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createConnection } from "node:net";
import fc from "fast-check";
import {
  compileExecutables,
  folder,
  killServices,
  removeExecutables,
  type Service,
  startFrontend,
  startService,
} from "../../testing/executables.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { BODY, SERVICES } from "../../testing/services.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { FULL, report } from "./report.ts";

const REQUESTS = FULL ? 10_000 : 2_000;
const SEED = Number(process.env.WIRE_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Requests that are under way at once. */
const BATCH = 40;
/**
 * Milliseconds in which a service answers a normal client, answers or ends what needs no more bytes, and gives up a
 * head that stays incomplete (Bun: 12 s).
 */
const BOUND = { normal: 1_000, hostile: 5_000, incomplete: 18_000 };
const MEMORY_KIB = 256 * 1024;
/** What bad input may lead to: RFC 9110, section 15, and RFC 6585, section 5. Of 5xx only "I do not speak that". */
const RIGHTFUL = [100, 200, 204, 304, 400, 404, 405, 412, 413, 414, 417, 431, 501, 505];
const HEALTH = '{\n  "status": "ok"\n}\n';
/** Stacks, files and modules. */
const LEAK = /node_modules|elysia|\bbun|\.[cm]?[jt]s\b| {4}at |\/src\/|file:|Error:/i;

/** One connection: its bytes as latin1, how many go at once, and what the client does after the last of them. */
interface Hostile {
  readonly bytes: string;
  readonly piece: number;
  /** "stay" closes its side once it is answered, "wait" never does. */
  readonly end: "half-close" | "stay" | "wait" | "leave" | "reset";
}

// ---- What is sent

const octets = (maxLength: number) =>
  fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength });
const oneOf = (...lists: string[]) => fc.constantFrom(...lists.flatMap((list) => list.split("|")));
/** The usual in three of four, so that most of a request is right and the rest of it is read at all. */
const mostly = (usual: string, ...lists: string[]) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: oneOf(...lists) });
const joined = (...parts: fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(""));

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
/** Names that one parser takes for the field's and another does not: RFC 9112, section 5.1. */
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
const NAMED = oneOf(
  "Expect: 100-continue|Expect: x|Connection: close|Connection: Upgrade|Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk|TE: x",
  "Upgrade: websocket\r\nSec-WebSocket-Key: x|If-Match: x|If-None-Match: *|Range: bytes=0-,9-1|Trailer: X|\r\n\r\n",
  "X|: a|:|X : a| X: a|X: a\r\n b|X: a\n b|X: a\rb|X: \0|X\0: a|\x7f: \x01\x02|X: \x1b[2J|\xff: \xff",
  ...[`X: ${"a".repeat(9e4)}`, `${"a".repeat(9e3)}: a`, "X: a\r\n".repeat(4e3), "X: a\r\n".repeat(190)],
);
const FRAMING = [joined(disguised("Content-Length"), LENGTH), joined(disguised("Transfer-Encoding"), CODING)];
const FIELD = fc.oneof(...FRAMING, NAMED, NAMED, octets(60));
const CHUNK = joined(
  mostly("3", "0|3;a=b|3 | 3|-3|+3|0x3||zz|3\0", "F".repeat(17), `3;${"a".repeat(9e3)}`),
  ...[mostly("\r\n", "\n|\r|\r\r\n"), mostly("abc", "|abcd|\r\n"), mostly("\r\n", "\n|")],
);
const LAST_CHUNK = mostly("0\r\n\r\n", "0\r\nX: a\r\n\r\n|0\r\nX : \0\r\n\r\n|0\n\n|");
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n";
const CONTENT = fc.oneof(oneOf("", SMUGGLED, `0\r\n\r\n${SMUGGLED}`), octets(99), joined(CHUNK, CHUNK, LAST_CHUNK));
const SPACE = fc.oneof({ weight: 19, arbitrary: fc.constant(" ") }, oneOf("|  |\t|\x0b|\0"));
const EOL = fc.oneof({ weight: 9, arbitrary: fc.constant("\r\n") }, oneOf("\n|\r|\r\r\n|\n\r"));
const COMPOSED = fc
  .tuple(joined(METHOD, SPACE, TARGET, SPACE, VERSION), HOST, fc.array(FIELD, { maxLength: 3 }), EOL, CONTENT)
  .map(([line, host, fields, eol, content]) => [line, host, ...fields, "", content].join(eol));

/** A valid request whose connection stays open. */
const kept = (...request: Parameters<typeof rawRequest>) => rawRequest(...request).replace("Connection: close\r\n", "");
const CHUNKED = kept("POST", "/", "Transfer-Encoding: chunked");
const VALID = fc.constantFrom(
  ...[kept("GET", "/"), kept("HEAD", "/healthz"), kept("OPTIONS", "/"), rawRequest("PUT", "/none"), SMUGGLED],
  ...[`${kept("POST", "/", "Content-Length: 3")}abc`, `${CHUNKED}3\r\nabc\r\n0\r\n\r\n`],
);
const EDITS = fc.array(fc.tuple(fc.nat(150), fc.nat(3), octets(4)), { minLength: 1, maxLength: 6 });
const MUTATED = fc
  .tuple(VALID, EDITS)
  .map(([valid, edits]) =>
    edits.reduce((all, [at, gone, added]) => all.slice(0, at) + added + all.slice(at + gone), valid),
  );
const CUT = fc.tuple(fc.oneof(VALID, COMPOSED), fc.nat(300)).map(([all, at]) => all.slice(0, at));
/** Several requests behind one another, and half a one behind or before them. */
const PIPELINED = fc
  .tuple(fc.array(fc.oneof(VALID, COMPOSED), { minLength: 1, maxLength: 20 }), CUT, fc.boolean())
  .map(([whole, half, first]) => (first ? [half, ...whole] : [...whole, half]).join(""));
const TLS_OR_HTTP2 = "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03|PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const FOREIGN = joined(oneOf("", TLS_OR_HTTP2), octets(600));

/** Whether bytes could rightly be read as `GET /traceback`: whatever holds that word, escaped or not. */
const mayEndIt = (bytes: string) =>
  /traceback/i.test(bytes.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))));

// The only bytes with that word, each where no server may act on it: one that does ends, and fails the test.
const POISON = "GET /traceback HTTP/1.1\r\nHost: localhost\r\n\r\n";
const POISONED = fc.oneof(
  // Content of another request: RFC 9112, section 6.
  oneOf("POST|GET|HEAD|PUT|OPTIONS").map((method) => kept(method, "/", `Content-Length: ${POISON.length}`) + POISON),
  fc.constant(`${CHUNKED}${POISON.length.toString(16)}\r\n${POISON}\r\n0\r\n\r\n`),
  // Behind content whose end nobody knows: sections 5.1, 6.1, 6.3 and 7.1.
  oneOf(
    ...["-1", "+5", "0x5", "5a", "5, 6", "5 5", "1e1", "5.0", "5\r\nContent-Length: 6"].map(
      (n) => `Content-Length: ${n}`,
    ),
    ...["gzip", "xchunked", "chunked, identity", "\x0bchunked"].map((coding) => `Transfer-Encoding: ${coding}`),
    "Content-Length : 5|Transfer-Encoding : chunked|Content-Length: 5\r\nTransfer-Encoding: chunked",
  ).map((field) => `${kept("POST", "/", field)}0\r\n\r\n${POISON}`),
  oneOf("zz|-1|+0|0x0| 0|\r\n|FFFFFFFFFFFFFFFFF|3\r\nabcd|0\r\nX: a").map((size) => `${CHUNKED}${size}\r\n${POISON}`),
  // Behind the last request of a connection: section 9.6.
  oneOf("GET|HEAD|POST|DELETE").map((method) => rawRequest(method, "/") + POISON),
  // Incomplete (section 8), without Host (3.2), of another version (2.3), method or path.
  fc.nat(POISON.length - 1).map((length) => POISON.slice(0, length)),
  oneOf("|Host : localhost\r\n").map((host) => POISON.replace("Host: localhost\r\n", host)),
  oneOf("HEAD|POST|OPTIONS|get|GETX").map((method) => POISON.replace("GET", method)),
  oneOf("/|;a|%00|\0|\xff|%20").map((more) => POISON.replace("back", `back${more}`)),
  fc.constant(POISON.replace("1.1", "2.0")),
);

const INNOCENT = fc.oneof({ weight: 4, arbitrary: COMPOSED }, MUTATED, CUT, PIPELINED, FOREIGN);
const HOSTILE: fc.Arbitrary<Hostile> = fc.record({
  bytes: fc.oneof({ weight: 4, arbitrary: INNOCENT.filter((bytes) => !mayEndIt(bytes)) }, POISONED),
  piece: fc.oneof(fc.constant(1e6), fc.integer({ min: 1, max: 64 })),
  end: fc.constantFrom("half-close", "stay", "half-close", "stay", "leave", "reset"),
});

// ---- What comes back

/** @throws {Error} where a promise takes longer than it may */
async function within<T>(milliseconds: number, what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`hang: ${what} took more than ${milliseconds} ms`)), milliseconds);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Opens a connection, sends, and gives what came back until the connection was over. */
async function send(port: number, { bytes, piece, end }: Hostile): Promise<string> {
  const bound = end === "wait" ? BOUND.incomplete : BOUND.hostile;
  const [answered, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let received = "";
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.setEncoding("latin1").on("data", (data) => {
    received += data;
    answered.resolve();
  });
  for (const event of ["end", "close"]) socket.on(event, () => over.resolve());
  // A service that has refused a request need not read the rest of it.
  socket.on("error", ({ code }: NodeJS.ErrnoException) =>
    code === "ECONNRESET" || code === "EPIPE" ? over.resolve() : over.reject(new Error(`connection: ${code}`)),
  );
  const step = Math.max(piece, Math.ceil(bytes.length / 64));
  try {
    for (let at = 0; at < bytes.length && !socket.readableEnded && !socket.destroyed; at += step) {
      const sent = new Promise((resolve) => socket.write(bytes.slice(at, at + step), "latin1", resolve));
      await within(bound, "taking the bytes", Promise.race([sent, over.promise]));
      if (step < bytes.length) await Bun.sleep(1);
    }
    if (end === "reset") socket.resetAndDestroy();
    if (end === "reset" || end === "leave") return received;
    // What holds an empty line is answered or ended without one byte more: no route waits for content.
    const first = Promise.race([answered.promise, over.promise]);
    if (end === "stay" && bytes.includes("\r\n\r\n")) await within(bound, "an answer, or the end,", first);
    if (end !== "wait") socket.end();
    await within(bound, "the end of the connection", over.promise);
    return received;
  } finally {
    socket.destroy();
  }
}

/**
 * Reads answers, one behind another: RFC 9112, sections 4 to 6.
 *
 * @throws {Error} at what is none
 */
function parse(received: string, toHead = false) {
  const answers: { status: number; body: string }[] = [];
  for (let rest = received; rest !== ""; ) {
    const head = /^HTTP\/1\.1 (\d{3}) [ -~]*\r\n((?:[\w-]+: [ -~]*\r\n)*)\r\n/.exec(rest);
    if (head === null) throw new Error(`no answer: ${JSON.stringify(rest)}`);
    const status = Number(head[1]);
    rest = rest.slice(head[0].length);
    // Without a length the rest would be content, up to the end of the connection.
    const length = Number(/^content-length: (\d+)\r$/im.exec(head[2] ?? "")?.[1] ?? rest.length);
    const none = status < 200 || status === 204 || status === 304 || (toHead && /^(HTTP\/|$)/.test(rest));
    const body = none ? "" : rest.slice(0, length);
    if (!none && body.length < length) throw new Error(`cut off: ${JSON.stringify(received)}`);
    if (body !== "") JSON.parse(body);
    answers.push({ status, body });
    rest = rest.slice(body.length);
  }
  return answers;
}

// ---- The services

beforeAll(compileExecutables);
afterAll(() => {
  killServices();
  removeExecutables();
});

type Tally = Record<string, number>;

/** A normal client is answered, to the byte and soon. */
async function serves({ port, name }: Service): Promise<void> {
  const get = (path: string) => within(BOUND.normal, `GET ${path}`, sendRaw(port, rawRequest("GET", path)));
  expect(parse(await get("/"))).toEqual([{ status: 200, body: BODY[name] }]);
  expect(parse(await get("/healthz"))).toEqual([{ status: 200, body: HEALTH }]);
}

async function judge({ port, name }: Service, hostile: Hostile, tally: Tally = {}): Promise<void> {
  const received = await send(port, hostile);
  const leak = LEAK.exec(received)?.[0] ?? [folder, process.cwd()].find((path) => received.includes(path));
  if (leak !== undefined) throw new Error(`the answer tells ${JSON.stringify(leak)}: ${received}`);
  const answers = parse(received, hostile.bytes.includes("HEAD"));
  for (const { status, body } of answers) {
    const right = RIGHTFUL.includes(status) && (status !== 200 || ["", BODY[name], HEALTH].includes(body));
    if (!right) throw new Error(`a wrong answer: ${received}`);
    tally[status] = (tally[status] ?? 0) + 1;
  }
  const silent = hostile.end === "leave" || hostile.end === "reset" ? "left by the client" : "closed without an answer";
  if (answers.length === 0) tally[silent] = (tally[silent] ?? 0) + 1;
}

/** Sends the requests from one place of the seed on, beside a normal client; where one is not borne, shrinks it. */
async function batch(service: Service, at: number, tally: Tally): Promise<void> {
  const place = { seed: SEED, path: String(at), numRuns: BATCH };
  try {
    const judged = fc.sample(HOSTILE, place).map((one) => judge(service, one, tally));
    for (const one of await Promise.allSettled([...judged, serves(service)])) {
      if (one.status === "rejected") throw one.reason;
    }
    await serves(service);
  } catch (error) {
    console.log(`${service.name}, requests ${at} to ${at + BATCH} of WIRE_SEED=${SEED}: ${error}`);
    const property = fc.asyncProperty(HOSTILE, (hostile) => alone(service, hostile));
    await fc.assert(property, { ...place, interruptAfterTimeLimit: 30_000, includeErrorInReport: true });
    throw new Error("none of these requests does it alone", { cause: error });
  }
}

/** One request, at a process of its own. */
async function alone({ name, env }: Service, hostile: Hostile): Promise<void> {
  const { PORT: _, ...variables } = env;
  const service = await startService(name, variables);
  try {
    await Promise.all([judge(service, hostile), serves(service)]);
    await serves(service);
  } catch (error) {
    service.child.kill("SIGKILL");
    throw new Error(`${error}\n${await service.log}${await service.errors}`);
  } finally {
    service.child.kill("SIGKILL");
  }
}

/** How many sockets a process has open. */
const sockets = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`).filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith("socket:")).length;

test.concurrent.each([...SERVICES])("%s bears bad input", async (name) => {
  // A backend of its own: ended, it takes along the connections that the frontend keeps to it.
  const backend = name === "api-frontend" ? await startService("api-backend") : undefined;
  const service = backend === undefined ? await startService(name) : await startFrontend(backend.port);
  const { child, log, errors } = service;
  const proc = existsSync(`/proc/${child.pid}/fd`);
  const idle = proc ? sockets(child.pid) : 0;
  const tally: Tally = {};
  const flood = async () => {
    for (let at = 0; at < REQUESTS; at += BATCH) await batch(service, at, tally);
  };
  const halves = ["", "GET", rawRequest("GET", "/").slice(0, -2)];
  await Promise.all([flood(), ...halves.map((bytes) => judge(service, { bytes, piece: 1, end: "wait" }))]);
  const answers = Object.entries(tally).map(([kind, count]) => `${kind}: ${count}`);
  console.log(`${name}: ${answers.join(", ")}`);
  // Where one fails or is lost the test has ended before.
  report({ fault: `${name}: hostile requests`, sent: REQUESTS, failed: 0, lost: 0, note: `WIRE_SEED=${SEED}` });

  await serves(service);
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  backend?.child.kill("SIGKILL");
  if (proc) {
    await waitUntil("its sockets are closed", () => sockets(child.pid) <= idle, 10_000);
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1];
    expect(Number(peak)).toBeLessThan(MEMORY_KIB);
  }
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  expect(await errors).toBe("");
  expect((await log).match(/(?<="event":")\w+/g)).toEqual(["start", "stop"]);
});
