import { setTimeout as sleep } from "node:timers/promises";
import pRetry from "p-retry";
import { readBody } from "./body.ts";
import { Skipped } from "./rule.ts";
import { type Text, text, untranslated } from "./text.ts";

/** For one request, and for all of them with the pauses in between. */
const TIMEOUT_S = { request: 20, all: 60 };
/** Who asks to wait for longer is not asked again. */
const MAX_RETRY_AFTER_S = 10;
/** Pauses of 0.3, 0.9 and 2.7 s, in addition to what the server asks for. */
const BACKOFF = { retries: 3, minTimeout: 300, factor: 3 };
/** A token of Docker Hub takes about 5 KB. */
const MAX_JSON_BYTES = 100_000;

/** No answer that says anything about the image: worth another attempt. */
class Unavailable extends Error {
  constructor(
    readonly why: Text,
    /** How long the server asks to wait. */
    readonly waitS = 0,
  ) {
    super(why.en);
  }
}

/** Sends requests to one registry and its token server. */
export interface Client {
  /**
   * Sends a request, also after connection failures and after the responses 429 and 5xx, but not forever.
   *
   * @throws {Skipped} if there is no other response
   */
  request(url: string, init: RequestInit): Promise<Response>;
  /**
   * Reads the fields of a response that is a JSON object.
   *
   * @throws {Skipped} if it is no JSON, or too long
   */
  readJson(response: Response): Promise<Readonly<Record<string, unknown>>>;
}

/** A client for the requests of one question; its time starts now. */
export function clientOf(host: string): Client {
  const deadline = AbortSignal.timeout(TIMEOUT_S.all * 1000);
  const skipped = (why: Text) =>
    new Skipped(text(`${host} cannot be reached: ${why.en}`, `${host} est injoignable : ${why.fr}`));
  return {
    async request(url, init) {
      try {
        return await pRetry(() => send(url, init, deadline), {
          ...BACKOFF,
          signal: deadline,
          shouldRetry: async ({ error }) => {
            if (!(error instanceof Unavailable) || error.waitS > MAX_RETRY_AFTER_S) return false;
            await sleep(error.waitS * 1000, undefined, { signal: deadline });
            return true;
          },
        });
      } catch (error) {
        if (error instanceof Unavailable) throw skipped(error.why);
        if (deadline.aborted) throw skipped(noAnswerWithin(TIMEOUT_S.all));
        throw error;
      }
    },
    async readJson(response) {
      try {
        const { text, isWhole } = await readBody(response, MAX_JSON_BYTES);
        if (!isWhole) throw new Error(`more than ${MAX_JSON_BYTES} bytes from ${new URL(response.url).host}`);
        return Object(JSON.parse(text));
      } catch (error) {
        throw skipped(untranslated((error as Error).message));
      }
    },
  };
}

/** @throws {Unavailable} */
async function send(url: string, init: RequestInit, deadline: AbortSignal): Promise<Response> {
  const signal = AbortSignal.any([deadline, AbortSignal.timeout(TIMEOUT_S.request * 1000)]);
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal });
  } catch (error) {
    const { name, code, message } = error as Error & { code?: string };
    throw new Unavailable(name === "TimeoutError" ? noAnswerWithin(TIMEOUT_S.request) : untranslated(code ?? message));
  }
  const { status } = response;
  if (status !== 429 && status < 500) return response;
  await response.body?.cancel();
  throw new Unavailable(untranslated(`HTTP ${status}`), secondsUntil(response.headers.get("retry-after")));
}

const noAnswerWithin = (seconds: number) => text(`no answer within ${seconds} s`, `pas de réponse en ${seconds} s`);

/** The seconds of a header `Retry-After`, which gives seconds or a date. */
function secondsUntil(retryAfter: string | null): number {
  if (retryAfter === null) return 0;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? 0 : Math.max(0, seconds);
}
