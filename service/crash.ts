import { type Context, NotFoundError } from "elysia";
import { describe, log } from "./log.ts";

/** Ends the process at once with code 1, leaving one line in the log; requests in flight get no answer. */
export function crash(cause: unknown): never {
  log("error", "crash", { stack: describe(cause) });
  process.exit(1);
}

/**
 * `GET /traceback` of the subject: ends the process, so that the container starts again.
 * Elysia hands HEAD to the handlers of GET; a link checker's HEAD ends nothing, the path is GET's alone.
 */
export function traceback({ request }: Pick<Context, "request">): never {
  if (request.method !== "GET") throw new NotFoundError();
  crash(new Error("GET /traceback asked for a crash"));
}
