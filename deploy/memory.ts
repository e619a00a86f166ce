import { join } from "node:path";
import { Refusal } from "../host/refusal.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import type { Node, Service, Task } from "./cluster.ts";
import { STACK_LABEL } from "./cluster.ts";
import type { Settings } from "./settings.ts";

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes that each service reserves, by swarm.yaml. */
async function reservations(): Promise<Record<ServiceName, number>> {
  const file = Bun.YAML.parse(await Bun.file(join(import.meta.dir, "swarm.yaml")).text()) as {
    services: Record<ServiceName, { deploy: { resources: { reservations: { memory: string } } } }>;
  };
  const bytes = (name: ServiceName) => {
    const [, number, unit = ""] =
      /^(\d+)([KMG]?)$/.exec(file.services[name].deploy.resources.reservations.memory) ?? [];
    return Number(number) * (UNITS[unit] ?? Number.NaN);
  };
  return Object.fromEntries(SERVICES.map((name) => [name, bytes(name)])) as Record<ServiceName, number>;
}

/**
 * Checks that the nodes have the memory that the tasks reserve: for a frontend on each, and for all backends.
 *
 * @param nodes the nodes that take tasks
 * @param tasks all that are to run on them
 * @throws {Refusal} saying how much is there, and how much is needed
 */
export async function checkMemory(
  { stack, backends }: Settings,
  nodes: readonly Node[],
  services: readonly Service[],
  tasks: readonly Task[],
): Promise<void> {
  const need = await reservations();
  const others = new Set(services.filter(({ Spec }) => Spec.Labels[STACK_LABEL] !== stack).map(({ ID }) => ID));
  const free = nodes.map((node) => {
    const reserved = tasks
      .filter(({ NodeID, ServiceID }) => NodeID === node.ID && others.has(ServiceID))
      .reduce((sum, { Spec }) => sum + (Spec.Resources?.Reservations?.MemoryBytes ?? 0), 0);
    return { name: node.Description.Hostname, bytes: node.Description.Resources.MemoryBytes - reserved };
  });
  const mib = (bytes: number) => `${Math.floor(bytes / 2 ** 20)} MiB`;
  const tight = free.find(({ bytes }) => bytes < need["api-frontend"]);
  if (tight)
    throw new Refusal(
      `too little memory on node ${tight.name}: ${mib(tight.bytes)} are not reserved yet, a frontend reserves ${mib(need["api-frontend"])}.`,
      `Keep the stack off it:  docker node update --availability drain ${tight.name}`,
    );
  const room = free.reduce(
    (sum, { bytes }) => sum + Math.floor((bytes - need["api-frontend"]) / need["api-backend"]),
    0,
  );
  if (room < backends)
    throw new Refusal(
      `too little memory: beside a frontend on each of ${nodes.length} node(s), there is room for ${room} backends that reserve ${mib(need["api-backend"])} each, not for ${backends}.`,
      `Start fewer:  make deploy LAB_BACKENDS=${Math.max(1, room)}`,
    );
}
