// The compiled executables, run as processes of this machine.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { rawRequest, sendRaw } from "./raw-http.ts";
import { SERVICES, type ServiceName } from "./services.ts";
import { waitUntil } from "./wait-until.ts";

/** Holds both, and nothing else. */
export const folder = mkdtempSync(join(tmpdir(), "tpdocker-"));
export const executable = (name: ServiceName) => join(folder, name);

export async function compile(): Promise<void> {
  for (const name of SERVICES) {
    await runOrThrow(["scripts/compile", executable(name), `${name}/api.ts`]);
  }
}

export interface Running {
  readonly name: ServiceName;
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
export async function start(name: ServiceName, env: Environment = {}): Promise<Running> {
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
  await waitUntil(`${name} listens`, () => sendRaw(port, rawRequest("GET", "/healthz")));
  return started;
}

export const startFrontend = (backend: number, env: Environment = {}): Promise<Running> =>
  start("api-frontend", { API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: String(backend), ...env });

/** Ends what was started. */
export function endAll(): void {
  for (const { child } of running.splice(0)) child.kill("SIGKILL");
}

export const remove = (): void => rmSync(folder, { recursive: true });
