import { existsSync, readFileSync } from "node:fs";
import { Refusal } from "../host/refusal.ts";
import { ask, type Service, STACK_LABEL } from "./cluster.ts";
import type { Settings } from "./settings.ts";

/**
 * Checks that no other service has the frontends' port, and no container or program of this machine. What programs of
 * other nodes have only shows when a task is to start there.
 *
 * @throws {Refusal} naming who has it
 */
export async function checkPort({ port, stack, remote }: Settings, services: readonly Service[]): Promise<void> {
  const other = services.find(
    ({ Spec, Endpoint }) =>
      Spec.Labels[STACK_LABEL] !== stack && Endpoint.Ports?.some(({ PublishedPort }) => PublishedPort === port),
  );
  if (other) refuse(port, `the nodes is taken by the service ${other.Spec.Name}`);
  const format = `{{.Names}} {{.Label "${STACK_LABEL}"}}`;
  const containers = (await ask("ps", "--filter", `publish=${port}`, "--format", format)).split("\n").filter(Boolean);
  const [name, owner] = containers[0]?.split(" ") ?? [];
  if (name !== undefined && owner !== stack) refuse(port, `this engine is taken by the container ${name}`);
  const own = services.some(
    ({ Spec, Endpoint }) =>
      Spec.Labels[STACK_LABEL] === stack && Endpoint.Ports?.some(({ PublishedPort }) => PublishedPort === port),
  );
  if (!own && remote === "" && isListening(port)) refuse(port, "this machine is taken by another program");
}

function refuse(port: number, what: string): never {
  const other = port > 64535 ? port - 1000 : port + 1000;
  throw new Refusal(`port ${port} on ${what}.`, `Use another port:  make deploy FRONTEND_PORT=${other}`);
}

/** Whether a program of this machine listens on a port, on any address; no if there is no /proc. */
function isListening(port: number): boolean {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, "0");
  // State 0A is LISTEN (proc(5)).
  const line = new RegExp(`^ *\\d+: [0-9A-F]+:${hexadecimal} [0-9A-F:]+ 0A `, "m");
  return ["/proc/net/tcp", "/proc/net/tcp6"].some((file) => existsSync(file) && line.test(readFileSync(file, "utf8")));
}
