import type { AnyElysia } from "elysia";
import { pathOf } from "./http.ts";
import { log } from "./log.ts";

type Answer = (request: Request, ...rest: unknown[]) => Response | Promise<Response>;

/**
 * Logs each request at level debug. Takes from constant answers that Bun gives them without running JavaScript,
 * so it is added only where these lines are wanted.
 */
export function logRequests(app: AnyElysia): void {
  const logged =
    (answer: Answer): Answer =>
    async (request, ...rest) => {
      const start = performance.now();
      const response = await answer(request, ...rest);
      const ms = Math.round((performance.now() - start) * 1000) / 1000;
      log("debug", "request", {
        method: request.method,
        path: pathOf(request),
        status: response.status,
        ms,
      });
      return response;
    };
  // Elysia types the wrapped function without its arguments.
  app.wrap(logged as never);
}
