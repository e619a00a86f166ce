import type { AnyElysia } from "elysia";
import { version } from "../package.json" with { type: "json" };
import { ConfigError, oneOf, port, readConfig, type Values, type Variables, withDefault } from "./config.ts";
import { crash } from "./crash.ts";
import { drain } from "./drain.ts";
import { healthcheck } from "./healthcheck.ts";
import { internalError } from "./http.ts";
import { log, setUpLog } from "./log.ts";
import { logRequests } from "./requests.ts";

/** Exit codes of sysexits.h. */
const EX_USAGE = 64;
const EX_OSERR = 71;
const EX_CONFIG = 78;

/** Seconds that an idle connection is kept open; longer than any answer takes. */
const IDLE_SECONDS = 30;

/** A service: its name, where it listens unless `PORT` says otherwise, and the app made from its own variables. */
export interface Service<V extends Variables> {
  readonly name: string;
  readonly port: number;
  readonly variables?: V;
  app(values: Values<V>): AnyElysia;
}

/**
 * Runs a service as a process, PID 1 of its container or not: without an argument it serves until SIGTERM or
 * SIGINT, with `healthcheck` it probes the one that serves and exits with 0 or 1.
 *
 * The module that calls this must not export anything named `app`: Bun takes that for a server to start by itself.
 */
export function serve<V extends Variables>(service: Service<V>): void {
  // Docker passes the host's proxy variables into containers, and `fetch` obeys them; the only hosts asked from
  // here stand on the same network.
  for (const name of ["HTTP_PROXY", "http_proxy"]) delete process.env[name];

  const common = { PORT: withDefault(port, service.port), LOG_LEVEL: withDefault(oneOf("info", "debug"), "info") };
  const [command, ...surplus] = process.argv.slice(2);
  if (surplus.length > 0 || (command !== undefined && command !== "healthcheck")) {
    exit(EX_USAGE, `usage: ${service.name} [healthcheck]`);
  }
  if (command === "healthcheck") {
    probe(configure({ PORT: common.PORT }).PORT);
    return;
  }

  const values = configure({ ...common, ...service.variables }) as Values<V> & Values<typeof common>;
  const debug = values.LOG_LEVEL === "debug";
  setUpLog({ service: service.name, debug });
  const app = service.app(values);
  if (debug) logRequests(app);
  run(app, values.PORT, debug ? {} : constants(app));
}

function exit(code: number, ...lines: readonly string[]): never {
  for (const line of lines) console.error(line);
  process.exit(code);
}

function configure<V extends Variables>(variables: V): Values<V> {
  try {
    return readConfig(variables, process.env);
  } catch (error) {
    if (error instanceof ConfigError) exit(EX_CONFIG, ...error.lines);
    throw error;
  }
}

async function probe(port: number): Promise<never> {
  try {
    await healthcheck(port);
  } catch (error) {
    exit(1, `port ${port}: ${(error as Error).message}`);
  }
  process.exit(0);
}

/** The routes that are a finished Response: Bun answers these by itself, without running JavaScript. */
function constants(app: AnyElysia): Record<string, { GET: Response }> {
  const routes: ReturnType<typeof constants> = {};
  for (const { path, handler } of app.routes) {
    const constant: unknown = handler;
    if (constant instanceof Response) routes[path] = { GET: constant };
  }
  return routes;
}

function run(app: AnyElysia, port: number, routes: ReturnType<typeof constants>): void {
  process.on("uncaughtException", crash).on("unhandledRejection", crash);
  try {
    // Not app.listen: it sets the server up three times over, which takes a tenth of the start.
    const server = Bun.serve({
      routes,
      fetch: app.fetch,
      port,
      idleTimeout: IDLE_SECONDS,
      // No route reads a body.
      maxRequestBodySize: 64 * 1024,
      // The default of Bun 1.4 would let a second process take the same port, silently.
      reusePort: false,
      // The page that Bun shows for errors in development holds the stack and the working directory.
      development: false,
      error: internalError,
    });
    // The kernel gives process 1 no default action for signals: without these it would outlive `docker stop`.
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => drain(server, signal));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    exit(
      EX_OSERR,
      `PORT=${port}: ${code === "EADDRINUSE" ? "another process listens there; set PORT to a free one" : message}`,
    );
  }
  // Up to here `--compile-jit-policy` has kept the JIT from code that runs but once.
  Bun.unsafe.setJITPolicy(1);
  log("info", "start", { version, pid: process.pid, port });
}
