// The compiled executables, run as processes of this machine.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { rawRequest, sendRaw } from "./raw-http.ts";
import { waitUntil } from "./wait-until.ts";

/** Contains both executables and nothing else. */
export const folder = mkdtempSync(join(tmpdir(), "tpdocker-"));
export const executablePath = (name: ServiceName) => join(folder, name);

export async function compileExecutables(): Promise<void> {
  for (const name of SERVICES) {
    await runOrThrow(["sh", "scripts/compile", executablePath(name), `${name}/api.ts`]);
  }
}

export const removeExecutables = (): void => rmSync(folder, { recursive: true });

/** A running service. */
export interface Service {
  readonly name: ServiceName;
  readonly env: Environment;
  readonly port: number;
  readonly child: Bun.Subprocess;
  /** Its stdout and its stderr, available after its end. */
  readonly log: Promise<string>;
  readonly errors: Promise<string>;
  /** The parsed lines of its log, available after its end. */
  events(): Promise<Event[]>;
}

interface Event extends Record<string, unknown> {
  readonly event: string;
}

const services: Service[] = [];

/** Starts a service, on a free port unless `PORT` is given, and waits until it listens. */
export async function startService(name: ServiceName, env: Environment = {}): Promise<Service> {
  const port = Number(env.PORT ?? (await freePort()));
  const child = Bun.spawn([executablePath(name)], {
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
  const service = { name, env, port, child, log, errors: child.stderr.text(), events };
  services.push(service);
  await waitUntil(`${name} listens`, () => sendRaw(port, rawRequest("GET", "/healthz")));
  return service;
}

export const startFrontend = (backendPort: number, env: Environment = {}): Promise<Service> =>
  startService("api-frontend", { API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: String(backendPort), ...env });

export async function startBothServices() {
  const backend = await startService("api-backend");
  return { "api-backend": backend, "api-frontend": await startFrontend(backend.port) };
}

/** Kills all services that were started. */
export function killServices(): void {
  for (const { child } of services.splice(0)) child.kill("SIGKILL");
}
