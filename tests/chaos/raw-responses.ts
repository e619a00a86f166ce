// Sends a hostile request, and reads strictly what comes back.
import { createConnection } from "node:net";
import type { HostileRequest } from "./hostile-requests.ts";

/**
 * Timeouts for the response to a normal client, for the response to (or the end of) a connection that needs no more bytes,
 * and for the end of one whose request stays incomplete (Bun closes it after 12 s).
 */
export const TIMEOUT_MS = { normal: 1_000, hostile: 5_000, incomplete: 18_000 };

/** @throws {Error} if the promise does not settle in time */
export async function withTimeout<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`timeout: ${what} took more than ${ms} ms`)), ms);
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}

/** Sends a request on a connection of its own, and returns what came back until the connection ended. */
export async function sendHostile(port: number, { bytes, chunkSize, end }: HostileRequest): Promise<string> {
  const timeoutMs = end === "wait" ? TIMEOUT_MS.incomplete : TIMEOUT_MS.hostile;
  const [response, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let received = "";
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  socket.setEncoding("latin1").on("data", (data) => {
    received += data;
    response.resolve();
  });
  for (const event of ["end", "close"]) socket.on(event, () => over.resolve());
  // A service that has refused a request need not read the rest of it.
  socket.on("error", ({ code }: NodeJS.ErrnoException) =>
    code === "ECONNRESET" || code === "EPIPE" ? over.resolve() : over.reject(new Error(`connection: ${code}`)),
  );
  const step = Math.max(chunkSize, Math.ceil(bytes.length / 64));
  try {
    for (let at = 0; at < bytes.length && !socket.readableEnded && !socket.destroyed; at += step) {
      const sent = new Promise((resolve) => socket.write(bytes.slice(at, at + step), "latin1", resolve));
      await withTimeout(timeoutMs, "sending", Promise.race([sent, over.promise]));
      if (step < bytes.length) await Bun.sleep(1);
    }
    if (end === "reset") socket.resetAndDestroy();
    if (end === "reset" || end === "leave") return received;
    // After an empty line the service must respond, or close, without one byte more: no route waits for content.
    const first = Promise.race([response.promise, over.promise]);
    if (end === "stay" && bytes.includes("\r\n\r\n")) await withTimeout(timeoutMs, "a response", first);
    if (end !== "wait") socket.end();
    await withTimeout(timeoutMs, "the end of the connection", over.promise);
    return received;
  } finally {
    socket.destroy();
  }
}

/**
 * Parses consecutive responses: RFC 9112, sections 4 to 6.
 *
 * @param mayBeHead whether one of the requests may have been HEAD, whose response has no body
 * @throws {Error} if the bytes are anything else
 */
export function parseResponses(received: string, mayBeHead = false) {
  const responses: { status: number; body: string }[] = [];
  for (let rest = received; rest !== ""; ) {
    const head = /^HTTP\/1\.1 (\d{3}) [ -~]*\r\n((?:[\w-]+: [ -~]*\r\n)*)\r\n/.exec(rest);
    if (head === null) throw new Error(`not a response: ${JSON.stringify(rest)}`);
    const status = Number(head[1]);
    rest = rest.slice(head[0].length);
    // Without content-length the body extends to the end of the connection.
    const length = Number(/^content-length: (\d+)\r$/im.exec(head[2] ?? "")?.[1] ?? rest.length);
    const hasNoBody = status < 200 || status === 204 || status === 304 || (mayBeHead && /^(HTTP\/|$)/.test(rest));
    const body = hasNoBody ? "" : rest.slice(0, length);
    if (!hasNoBody && body.length < length) throw new Error(`truncated: ${JSON.stringify(received)}`);
    if (body !== "") JSON.parse(body);
    responses.push({ status, body });
    rest = rest.slice(body.length);
  }
  return responses;
}
