import type { Elysia } from "elysia";
import { traceback } from "./crash.ts";
import { isDraining } from "./drain.ts";
import { JSON_TYPE, json } from "./json.ts";
import { describe, log } from "./log.ts";

/** An error whose message is meant for the client; `status` is that of the response. */
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

/** The JSON response of every error. */
export const errorResponse = (status: number, message: string, headers: Record<string, string> = {}): Response =>
  json({ error_message: message, status: "[ERROR]" }, { status, headers: { ...JSON_TYPE, ...headers } });

/** The response to an unexpected error: what it was goes to the log only. */
export function internalError(thrown: unknown): Response {
  log("error", "internal_error", { stack: describe(thrown) });
  return errorResponse(500, "internal error");
}

/**
 * Elysia's settings for both services: `/traceback/` is another path than `/traceback`, and a host may have any name
 * (by default Elysia takes a short one, such as `a`, for a part of the path).
 */
export const SETTINGS = { strictPath: true, handler: { standardHostname: false } } as const;

/**
 * What both services answer in addition to their own routes: `/healthz`, `/readyz`, OPTIONS, and errors as JSON.
 *
 * @example new Elysia(SETTINGS).use(conventions).get("/", …)
 */
export function conventions(app: Elysia): Elysia {
  return app
    .onError(({ error, request }) => {
      if (error instanceof Failure) return errorResponse(error.status, error.message, error.headers);
      const { code } = error as { code?: string };
      if (code === "NOT_FOUND") return notFoundOrMethodNotAllowed(app, request);
      return internalError(error);
    })
    .get("/healthz", json({ status: "ok" }))
    .get("/readyz", readiness) as unknown as Elysia;
}

/** Says nothing about the backend: if it did, an outage of the backend would take all frontends away as well. */
const readiness = (): Response =>
  isDraining() ? json({ status: "draining" }, { status: 503, headers: JSON_TYPE }) : json({ status: "ready" });

/** The path of a request; `undefined` if its Host header is not valid. */
export function pathOf({ headers, url }: Request): string | undefined {
  // HTTP/1.0 has no Host header; Bun's URL is the path alone then.
  const hasHost = headers.has("host") || !url.startsWith("/");
  return URL.parse(hasHost ? url : `http://localhost${url}`)?.pathname;
}

/** Elysia reports a method that a path does not have as it reports an unknown path. */
function notFoundOrMethodNotAllowed(app: Elysia, request: Request): Response {
  // Bun keeps the connection of a CONNECT open without ever reading from it again.
  if (request.method === "CONNECT") return errorResponse(405, "method not allowed", { allow: "", connection: "close" });
  const path = pathOf(request);
  // RFC 9112, section 3.2.
  if (path === undefined) return errorResponse(400, "the Host header is not valid");
  const methods = methodsOf(app, path);
  // What Elysia did not find does not exist, whatever its list of routes says.
  if (methods.length === 0 || methods.includes(request.method)) return errorResponse(404, "not found");
  const headers = { allow: [...methods, "OPTIONS"].join(", ") };
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  return errorResponse(405, "method not allowed", headers);
}

/** The methods of a path. HEAD comes with GET (RFC 9110, section 9.3.2), except for `/traceback`. */
const methodsOf = (app: Elysia, path: string): string[] =>
  app.routes
    .filter((route) => route.path === path)
    .flatMap(({ method, handler }) => (method === "GET" && handler !== traceback ? ["GET", "HEAD"] : [method]));
