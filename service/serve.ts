import type { AnyElysia } from "elysia";
import { version } from "../package.json" with { type: "json" };
import {
  ConfigError,
  oneOf,
  port,
  readConfig,
  upToAMinute,
  type Values,
  type Variables,
  withDefault,
} from "./config.ts";
import { crash } from "./crash.ts";
import { drain } from "./drain.ts";
import { healthcheck } from "./healthcheck.ts";
import { internalError } from "./http.ts";
import { LEVELS, log, setUpLog } from "./log.ts";
import { logRequests } from "./request-log.ts";

/** Exit codes of sysexits(3). */
const EX_USAGE = 64;
const EX_OSERR = 71;
const EX_CONFIG = 78;

/** Longer than load balancers keep idle connections (60 s by default), so that they never send on a closed one. */
const IDLE_TIMEOUT_S = 120;

/** A service: its name, its default port, its own variables, and the app that they configure. */
export interface Service<V extends Variables> {
  readonly name: string;
  readonly port: number;
  readonly variables?: V;
  app(values: Values<V>): AnyElysia;
}

/**
 * Runs a service as a process. Without an argument it serves until SIGTERM or SIGINT; with `healthcheck` it checks
 * the one that serves, and exits with 0 or 1.
 */
export function serve<V extends Variables>(service: Service<V>): void {
  // Docker can pass the host's proxy variables on to containers, and the health check's `fetch` would use the proxy.
  for (const name of ["HTTP_PROXY", "http_proxy"]) delete process.env[name];

  const common = {
    PORT: withDefault(port, service.port),
    LOG_LEVEL: withDefault(oneOf(LEVELS), "info"),
    DRAIN_DELAY_MS: withDefault(upToAMinute, 0),
  };
  const [command, ...others] = process.argv.slice(2);
  if (others.length > 0 || (command !== undefined && command !== "healthcheck")) {
    exit(EX_USAGE, `usage: ${service.name} [healthcheck]`);
  }
  if (command === "healthcheck") {
    checkHealth(configure({ PORT: common.PORT }).PORT);
    return;
  }

  const values = configure({ ...common, ...service.variables }) as Values<V> & Values<typeof common>;
  setUpLog({ service: service.name, level: values.LOG_LEVEL });
  const isDebug = values.LOG_LEVEL === "debug";
  const app = service.app(values);
  if (isDebug) logRequests(app);
  run(app, values, isDebug ? {} : constantRoutes(app));
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

async function checkHealth(port: number): Promise<never> {
  try {
    await healthcheck(port);
  } catch (error) {
    exit(1, `port ${port}: ${(error as Error).message}`);
  }
  process.exit(0);
}

/** The routes with a constant response: Bun answers these itself, without running JavaScript. */
function constantRoutes(app: AnyElysia): Record<string, { GET: Response }> {
  const routes: ReturnType<typeof constantRoutes> = {};
  for (const { path, handler } of app.routes) {
    const response: unknown = handler;
    if (response instanceof Response) routes[path] = { GET: response };
  }
  return routes;
}

function run(
  app: AnyElysia,
  { PORT: port, DRAIN_DELAY_MS: drainDelay }: { readonly PORT: number; readonly DRAIN_DELAY_MS: number },
  routes: ReturnType<typeof constantRoutes>,
): void {
  process.on("uncaughtException", crash).on("unhandledRejection", crash);
  try {
    // Not app.listen, which sets the server up three times: that takes a tenth of the start.
    const server = Bun.serve({
      routes,
      fetch: app.fetch,
      port,
      idleTimeout: IDLE_TIMEOUT_S,
      // No route reads a body.
      maxRequestBodySize: 64 * 1024,
      // Bun's default would let a second process listen on the same port without an error.
      reusePort: false,
      // Bun's error page of development mode shows the stack and the working directory.
      development: false,
      error: internalError,
    });
    // Process 1 has no default signal handlers (pid_namespaces(7)): without these `docker stop` would have to kill it.
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => drain(server, signal, drainDelay));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    exit(
      EX_OSERR,
      `PORT=${port}: ${code === "EADDRINUSE" ? "another process listens there; set PORT to a free one" : message}`,
    );
  }
  // Until here the flag --compile-jit-policy has kept the JIT from compiling code that runs only once.
  Bun.unsafe.setJITPolicy(1);
  log("info", "start", { version, pid: process.pid, port });
}
