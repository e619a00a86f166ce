import { readBody } from "./body.ts";
import { type Text, text, untranslated } from "./text.ts";

/** The responses of the lab have fewer than 200 bytes. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The outcome of a request: a complete response, or the reason why there is none. */
export type HttpResult =
  | { readonly status: number; readonly contentType: string; readonly body: string }
  | { readonly error: Text };

/** That of a request that was not sent. */
export const NO_RESPONSE: HttpResult = { error: untranslated("") };

/** Sends a `GET` request: on a new connection, without a proxy, following no redirect. */
export async function get(url: string, timeoutS: number): Promise<HttpResult> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(timeoutS * 1000),
      redirect: "manual",
      keepalive: false,
      proxy: "",
      // A small compressed body may become a very large one.
      headers: { "accept-encoding": "identity" },
      decompress: false,
    });
    const { text: body } = await readBody(response, MAX_BODY_BYTES);
    return { status: response.status, contentType: response.headers.get("content-type") ?? "", body };
  } catch (error) {
    const { name, code, message } = error as { name: string; code?: unknown; message: string };
    if (name === "TimeoutError")
      return { error: text(`no complete response within ${timeoutS} s`, `aucune réponse complète en ${timeoutS} s`) };
    return { error: untranslated(typeof code === "string" ? code : message) };
  }
}
