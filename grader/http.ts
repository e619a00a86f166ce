/** What came back for a request: a whole answer, or why there is none. */
export type Answer =
  | { readonly status: number; readonly type: string; readonly body: string }
  | { readonly error: string };

/** `GET`s a URL; takes no redirect and no longer than `seconds`. */
export async function get(url: string, seconds: number): Promise<Answer> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(seconds * 1000),
      redirect: "manual",
      keepalive: false,
      proxy: "",
    });
    const body = await response.text();
    return { status: response.status, type: response.headers.get("content-type") ?? "", body };
  } catch (error) {
    return { error: (error as { code?: string }).code ?? (error as Error).message };
  }
}
