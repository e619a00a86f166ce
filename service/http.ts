import type { Elysia } from "elysia";
import { traceback } from "./crash.ts";
import { JSON_TYPE, json } from "./json.ts";
import { describe, log } from "./log.ts";

/** A failure whose message is meant for the client; `status` is the answer's code. */
export class Failure extends Error {
  override readonly name = "Failure";
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
  }
}

/** The JSON body of every answer that is an error. */
export const failure = (status: number, message: string, headers: Record<string, string> = {}): Response =>
  json({ error_message: message, status: "[ERROR]" }, { status, headers: { ...JSON_TYPE, ...headers } });

/** The answer to an error that nobody foresaw: what it was stands in the log alone. */
export function internalError(thrown: unknown): Response {
  log("error", "internal_error", { stack: describe(thrown) });
  return failure(500, "internal error");
}

/**
 * How both services are set up: `/traceback/` is another path than `/traceback`, and a host may have any name (Elysia
 * takes a short one, `a`, for a part of the path unless told otherwise).
 */
export const SETTINGS = { strictPath: true, handler: { standardHostname: false } } as const;

/**
 * What both services answer beside their own routes: `/healthz`, OPTIONS, and errors as JSON.
 *
 * @example new Elysia(SETTINGS).use(conventions).get("/", …)
 */
export function conventions(app: Elysia): Elysia {
  return app
    .onError(({ error, request }) => {
      if (error instanceof Failure) return failure(error.status, error.message, error.headers);
      const { code } = error as { code?: string };
      if (code === "NOT_FOUND") return unrouted(app, request);
      return internalError(error);
    })
    .get("/healthz", json({ status: "ok" })) as unknown as Elysia;
}

/** The path of a request; none where its Host header makes no URL of it. */
export const pathOf = (request: Request): string | undefined => URL.parse(request.url)?.pathname;

/** Elysia reports a method that a path does not have as it does an unknown path. */
function unrouted(app: Elysia, request: Request): Response {
  const path = pathOf(request);
  // RFC 9112, section 3.2.
  if (path === undefined) return failure(400, "the Host header is not valid");
  const methods = methodsOf(app, path);
  // What Elysia did not find is not there, whatever the list of its routes says.
  if (methods.length === 0 || methods.includes(request.method)) return failure(404, "not found");
  const headers = { allow: [...methods, "OPTIONS"].join(", ") };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  return failure(405, "method not allowed", headers);
}

/** The methods of a path's routes; HEAD comes with GET (RFC 9110, section 9.3.2), but for `/traceback`. */
const methodsOf = (app: Elysia, path: string): string[] =>
  app.routes
    .filter((route) => route.path === path)
    .flatMap(({ method, handler }) => (method === "GET" && handler !== traceback ? ["GET", "HEAD"] : [method]));
