// The compiled executables, run as processes of this machine.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, output } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { type Name, SERVICES } from "./services.ts";
import { until } from "./until.ts";
import { exchange, wire } from "./wire.ts";

/** Holds both, and nothing else. */
export const folder = mkdtempSync(join(tmpdir(), "tpdocker-"));
export const executable = (name: Name) => join(folder, name);

export async function compile(): Promise<void> {
  for (const name of SERVICES) {
    await output(["scripts/compile", executable(name), `${name}/api.ts`]);
  }
}

export interface Running {
  readonly name: Name;
  readonly env: Environment;
  readonly port: number;
  readonly child: Bun.Subprocess;
  /** What it wrote on stdout and on stderr, once it has ended. */
  readonly log: Promise<string>;
  readonly errors: Promise<string>;
  /** The events of its log. */
  events(): Promise<Event[]>;
}

interface Event extends Record<string, unknown> {
  readonly event: string;
}

const running: Running[] = [];

/** Starts a service, on a free port unless `PORT` names one; it is ready when this returns. */
export async function start(name: Name, env: Environment = {}): Promise<Running> {
  const port = Number(env.PORT ?? (await freePort()));
  const child = Bun.spawn([executable(name)], {
    cwd: folder,
    env: { PORT: String(port), ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const log = child.stdout.text();
  const events = async (): Promise<Event[]> =>
    (await log)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const started = { name, env, port, child, log, errors: child.stderr.text(), events };
  running.push(started);
  await until(`${name} listens`, () => exchange(port, wire("GET", "/healthz")));
  return started;
}

export const startFrontend = (backend: number, env: Environment = {}): Promise<Running> =>
  start("api-frontend", { API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: String(backend), ...env });

/** Ends what was started. */
export function endAll(): void {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
}

export const remove = (): void => rmSync(folder, { recursive: true });
