import { existsSync } from "node:fs";
import { Refusal } from "../host/refusal.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { nodes, OWN_LABEL, type Service, services, tasksOn, working } from "./cluster.ts";
import { findImage } from "./images.ts";
import { manager } from "./manager.ts";
import { checkMemory } from "./memory.ts";
import { checkPort } from "./ports.ts";
import type { Settings } from "./settings.ts";

/** What a deployment starts from. */
export interface Beginning {
  /** The stack is new. */
  readonly isFirst: boolean;
  readonly images: Readonly<Record<ServiceName, string>>;
}

/**
 * Looks at all that could keep a deployment from working, and changes nothing.
 *
 * @throws {Refusal} naming the first thing found
 */
export async function check(settings: Settings): Promise<Beginning> {
  const engine = await manager();
  // An engine in a Swarm loads it; the file is that of ipvsadm(8).
  if (settings.mesh && settings.remote === "" && !existsSync("/proc/net/ip_vs"))
    throw new Refusal(
      "LAB_MESH=yes: this machine's kernel has no IPVS, so the mesh would carry no request.",
      "Leave it out, and use the nodes' own ports.",
    );
  const own = await ownServices(settings.stack);
  const [all, every] = [await nodes(), await services()];
  const takers = working(all);
  if (takers.length === 0) throw new Refusal("no node of this Swarm takes tasks: each is down, paused or drained.");
  await checkPort(settings, every);
  await checkMemory(settings, takers, every, await tasksOn(takers));
  const images: Partial<Record<ServiceName, string>> = {};
  for (const name of SERVICES) images[name] = await findImage(settings.images[name], engine, all.length);
  return { isFirst: own.length === 0, images: images as Beginning["images"] };
}

/**
 * The services of a stack of this project; none if there is no such stack.
 *
 * @throws {Refusal} if the stack is somebody else's
 */
export async function ownServices(stack: string): Promise<Service[]> {
  const found = await services(stack);
  const foreign = found.find(({ Spec }) => Spec.Labels[OWN_LABEL] === undefined);
  if (foreign)
    throw new Refusal(
      `there is another stack of the name ${stack}, with the service ${foreign.Spec.Name}. It stays as it is.`,
      "Use another name:  make deploy COMPOSE_PROJECT_NAME=<name>",
    );
  return found;
}
