import type { AnyElysia } from "elysia";
import { pathOf } from "./http.ts";
import { log } from "./log.ts";

type Handler = (request: Request, ...rest: unknown[]) => Response | Promise<Response>;

/**
 * Logs each request at level debug. Constant responses are no longer sent by Bun itself then, without running
 * JavaScript, so this is for debugging only.
 */
export function logRequests(app: AnyElysia): void {
  const withLog =
    (handle: Handler): Handler =>
    async (request, ...rest) => {
      const start = performance.now();
      const response = await handle(request, ...rest);
      const ms = Math.round((performance.now() - start) * 1000) / 1000;
      log("debug", "request", { method: request.method, path: pathOf(request), status: response.status, ms });
      return response;
    };
  // Elysia's types give the wrapped function no arguments.
  app.wrap(withLog as never);
}
