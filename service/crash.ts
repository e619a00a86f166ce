import { type Context, NotFoundError } from "elysia";
import { describe, log } from "./log.ts";

/** Ends the process at once with exit code 1 and one line in the log. Requests in progress get no response. */
export function crash(cause: unknown): never {
  log("error", "crash", { stack: describe(cause) });
  process.exit(1);
}

/**
 * `GET /traceback` of the subject: ends the process, so that the container is restarted.
 * Elysia passes HEAD requests to the handlers of GET, but a link checker's HEAD must not end anything.
 */
export function traceback({ request }: Pick<Context, "request">): never {
  if (request.method !== "GET") throw new NotFoundError();
  crash(new Error("GET /traceback asked for a crash"));
}
