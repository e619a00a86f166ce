/** The outcome of a request: a complete response, or the reason why there is none. */
export type HttpResult =
  | { readonly status: number; readonly contentType: string; readonly body: string }
  | { readonly error: string };

/** Sends a `GET` request: on a new connection, without a proxy, following no redirect. */
export async function get(url: string, timeoutS: number): Promise<HttpResult> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(timeoutS * 1000),
      redirect: "manual",
      keepalive: false,
      proxy: "",
    });
    const body = await response.text();
    return { status: response.status, contentType: response.headers.get("content-type") ?? "", body };
  } catch (error) {
    return { error: (error as { code?: string }).code ?? (error as Error).message };
  }
}
