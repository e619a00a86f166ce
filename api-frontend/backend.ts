import { Failure } from "../service/http.ts";
import { parse } from "../service/json.ts";
import { log } from "../service/log.ts";

/** Milliseconds that one call may take in all; the drain of a stopping frontend is longer. */
export const BUDGET_MS = 5000;

/** Milliseconds of silence that are met with one more attempt: connections to a killed container never reset. */
const OVERDUE_MS = 1000;

/** Milliseconds from an attempt that failed to the next: doubled each time, up to the last. */
const PAUSE_MS = { first: 25, last: 200 };

/** The largest body that is taken from the backend, in bytes. */
const MAX_BODY = 1024 * 1024;

/** What the client reads for each way a connection fails. */
const CAUSES: Record<string, string> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed before the answer was complete",
  ENOTFOUND: "host name not found",
};

/** What came over the wire; `body` is missing where it was larger than `MAX_BODY`. */
interface Answer {
  readonly status: number;
  readonly body?: Uint8Array;
}

/**
 * `GET`s the backend and gives the JSON value that it answers. While it cannot be reached the call waits and tries
 * again within its budget (milliseconds), so that a restart of the backend is not seen.
 *
 * @throws {Failure} 502 where the backend cannot be reached or its answer is no use, 504 where it stays silent
 */
export async function askBackend(url: string, budget = BUDGET_MS): Promise<unknown> {
  const start = performance.now();
  try {
    return read(await firstAnswer(url, budget));
  } catch (error) {
    if (error instanceof Failure) {
      const ms = Math.round(performance.now() - start);
      log("warn", "backend_call_failed", { url, status: error.status, error: error.message, ms });
    }
    throw error;
  }
}

/** The first answer to come: from one line of attempts, or from another that joins it at each second of silence. */
async function firstAnswer(url: string, budget: number): Promise<Answer> {
  const call = new AbortController();
  let trouble: string | undefined;
  const attempts = (reuse: boolean) =>
    untilAnswered(url, call.signal, reuse, (cause) => {
      trouble = cause;
    });
  const lines = [attempts(true)];
  let timer: Timer | undefined;
  const overdue = (ms: number) =>
    new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
  try {
    for (let left = budget; left > 0; left -= OVERDUE_MS) {
      trouble = undefined;
      const answer = await Promise.race([...lines, overdue(Math.min(left, OVERDUE_MS))]);
      if (answer !== undefined) return answer;
      // A line that meets errors tries again by itself.
      if (trouble === undefined) lines.push(attempts(false));
    }
  } finally {
    clearTimeout(timer);
    call.abort();
  }
  if (trouble !== undefined) throw new Failure(502, `GET / on backend API: ${trouble}`);
  throw new Failure(504, `GET / on backend API: no answer within ${budget / 1000} s`);
}

/** Tries until there is an answer, reporting why an attempt failed; `undefined` once the call is over. */
async function untilAnswered(
  url: string,
  call: AbortSignal,
  reuse: boolean,
  report: (cause: string) => void,
): Promise<Answer | undefined> {
  for (let pause = PAUSE_MS.first; ; pause = Math.min(pause * 2, PAUSE_MS.last)) {
    try {
      // After a failure the pool's connections are as suspect as the one that failed.
      return await attempt(url, call, reuse && pause === PAUSE_MS.first);
    } catch (error) {
      if (call.aborted) return undefined;
      report(CAUSES[(error as NodeJS.ErrnoException).code ?? ""] ?? "connection failed");
    }
    await Bun.sleep(pause);
    if (call.aborted) return undefined;
  }
}

async function attempt(url: string, signal: AbortSignal, keepalive: boolean): Promise<Answer> {
  const response = await fetch(url, {
    signal,
    keepalive,
    redirect: "manual",
    // Nothing compressed is asked for, and nothing is unpacked past MAX_BODY.
    decompress: false,
    headers: { accept: "application/json", "accept-encoding": "identity" },
  });
  const { status } = response;
  const body = status === 200 ? await readBody(response) : undefined;
  if (body === undefined) {
    await response.body?.cancel();
    return { status };
  }
  return { status, body };
}

/** The bytes of a body, unless they are more than `MAX_BODY`. */
async function readBody(response: Response): Promise<Uint8Array | undefined> {
  const length = response.headers.get("content-length");
  if (length !== null) return Number(length) <= MAX_BODY ? await response.bytes() : undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function read({ status, body }: Answer): unknown {
  if (status !== 200) throw new Failure(502, `GET / on backend API ${status}`);
  if (body === undefined) throw new Failure(502, "GET / on backend API: the answer is larger than 1 MiB");
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Failure(502, "GET / on backend API: the answer is not JSON");
  }
}
