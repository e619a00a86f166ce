// What a Swarm says of itself: its nodes, services and tasks.

import { brief } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import { Refusal } from "../host/refusal.ts";

/** The fields used here of `docker node inspect`. */
export interface Node {
  readonly ID: string;
  readonly Spec: { readonly Availability: "active" | "pause" | "drain" };
  readonly Description: {
    readonly Hostname: string;
    readonly Resources: { readonly MemoryBytes: number };
  };
  readonly Status: { readonly State: "ready" | "down" | "unknown" | "disconnected" };
}

interface ContainerSpec {
  readonly Image: string;
}

/** What a task is to run. */
export interface TaskSpec {
  readonly ContainerSpec: ContainerSpec;
  readonly Resources?: { readonly Reservations?: { readonly MemoryBytes?: number } };
  readonly ForceUpdate?: number;
}

/** The fields used here of `docker service inspect`. */
export interface Service {
  readonly ID: string;
  readonly Spec: {
    readonly Name: string;
    readonly Labels: Readonly<Record<string, string>>;
    readonly TaskTemplate: TaskSpec;
    readonly Mode: { readonly Replicated?: { readonly Replicas: number }; readonly Global?: object };
  };
  readonly PreviousSpec?: { readonly TaskTemplate: TaskSpec };
  readonly Endpoint: {
    readonly Ports?: readonly { readonly PublishedPort: number; readonly PublishMode: "host" | "ingress" }[];
  };
  readonly UpdateStatus?: { readonly State: string; readonly Message: string };
}

/** The fields used here of `docker inspect` for a task. */
export interface Task {
  readonly ID: string;
  readonly ServiceID: string;
  readonly NodeID?: string;
  readonly Slot?: number;
  readonly Spec: TaskSpec;
  readonly DesiredState: string;
  readonly Status: { readonly State: string; readonly Message: string; readonly Err?: string };
}

/** The label that `docker stack deploy` gives to all that a stack has. */
export const STACK_LABEL = "com.docker.stack.namespace";

/** The label by which a stack of this project is known (swarm.yaml). */
export const OWN_LABEL = "tpdocker.deploy";

/** How often what is asked for may have gone between two commands. */
const ATTEMPTS = 5;

/**
 * Runs a docker command to its end, whatever Ctrl-C does, and returns its stdout, trimmed.
 *
 * @throws {Refusal} with what docker said, if it fails
 */
export async function ask(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await docker(args, { ownGroup: true });
  if (code !== 0) throw new Refusal(`docker ${args.slice(0, 2).join(" ")}: ${brief(stderr || stdout, 400)}`);
  return stdout.trim();
}

/** The objects that a command lists by their ids. */
async function inspectAll<T>(kind: "node" | "service" | "task", list: () => Promise<string>): Promise<T[]> {
  for (let attempt = 1; ; attempt++) {
    const ids = (await list()).split("\n").filter(Boolean);
    if (ids.length === 0) return [];
    const { code, stdout, stderr } = await docker(["inspect", "--type", kind, ...ids], { ownGroup: true });
    if (code === 0) return JSON.parse(stdout);
    if (attempt === ATTEMPTS) throw new Refusal(`docker inspect: ${brief(stderr, 400)}`);
  }
}

export const nodes = (): Promise<Node[]> => inspectAll("node", () => ask("node", "ls", "--quiet"));

/** All services, or those of a stack. */
export const services = (stack?: string): Promise<Service[]> =>
  inspectAll("service", () => ask("service", "ls", "--quiet", ...filterBy(stack)));

/** The tasks of a stack, past ones too; also when its services are gone. */
export const tasksOf = (stack: string): Promise<Task[]> =>
  inspectAll("task", async () => {
    const list = ["stack", "ps", "--quiet", "--no-trunc", stack];
    const { code, stdout, stderr } = await docker(list, { ownGroup: true });
    if (code === 0) return stdout;
    // It is an error if there are none.
    if (stderr.includes("nothing found in stack")) return "";
    throw new Refusal(`docker stack ps: ${brief(stderr, 400)}`);
  });

/** The tasks that are to run on nodes. */
export const tasksOn = (nodes: readonly Node[]): Promise<Task[]> =>
  inspectAll("task", () =>
    ask(...["node", "ps", "--quiet", "--no-trunc", "--filter", "desired-state=running"], ...nodes.map(({ ID }) => ID)),
  );

/** The ids of the networks of a stack. */
export const networksOf = async (stack: string): Promise<string[]> =>
  (await ask("network", "ls", "--quiet", "--no-trunc", ...filterBy(stack))).split("\n").filter(Boolean);

const filterBy = (stack: string | undefined) =>
  stack === undefined ? [] : ["--filter", `label=${STACK_LABEL}=${stack}`];

/** The nodes that take tasks. */
export const working = (all: readonly Node[]): Node[] =>
  all.filter(({ Spec, Status }) => Spec.Availability === "active" && Status.State === "ready");
