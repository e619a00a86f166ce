// How far a stack has come, from what the Swarm says of its services and tasks.
import { isDeepStrictEqual } from "node:util";
import type { Node, Service, Task, TaskSpec } from "./cluster.ts";

/** How far a service has come. */
export interface Progress {
  readonly name: string;
  /** Tasks that run what the service is to run now, and are healthy. */
  readonly running: number;
  readonly wanted: number;
  /** No other task runs, and no update is going on. */
  readonly isSettled: boolean;
  /** What Swarm says of an update, as "rollback_completed"; empty if there is none. */
  readonly update: string;
}

/** @param nodes the nodes that take tasks */
export function progressOf(service: Service, tasks: readonly Task[], nodes: readonly Node[]): Progress {
  const { Name, Mode, TaskTemplate } = service.Spec;
  const own = tasks.filter(({ ServiceID }) => ServiceID === service.ID);
  const wantedTasks = own.filter(({ DesiredState }) => DesiredState === "running");
  const working = new Set(nodes.map(({ ID }) => ID));
  const running = wantedTasks.filter(
    ({ Status, Spec, NodeID }) =>
      Status.State === "running" && isSameSpec(Spec, TaskTemplate) && working.has(NodeID ?? ""),
  ).length;
  const wanted = Mode.Replicated?.Replicas ?? nodes.length;
  const update = service.UpdateStatus?.State ?? "";
  return {
    name: Name,
    running,
    wanted,
    isSettled: running === wanted && wantedTasks.length === wanted && !UNDER_WAY.has(update),
    update,
  };
}

const UNDER_WAY = new Set(["updating", "rollback_started"]);

/** Whether a task is of a service's present description. */
const isSameSpec = (a: TaskSpec, b: TaskSpec) =>
  isDeepStrictEqual(
    withoutDefaults([a.ContainerSpec, a.Resources, a.ForceUpdate]),
    withoutDefaults([b.ContainerSpec, b.Resources, b.ForceUpdate]),
  );

/** The engine gives a service's description with fields that a task's lacks, if they have no value. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((entry) => withoutDefaults(entry) ?? null);
  if (typeof value !== "object" || value === null) return value || undefined;
  const entries = Object.entries(value)
    .map(([name, field]) => [name, withoutDefaults(field)] as const)
    .filter(([, field]) => field !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

const OVER = new Set(["failed", "rejected"]);

export const failed = (tasks: readonly Task[]): Task[] => tasks.filter(({ Status }) => OVER.has(Status.State));

/** Whether as many tasks have failed in the same place, one after the other. */
export function failsAgain(tasks: readonly Task[], times: number): boolean {
  const places = Map.groupBy(failed(tasks), ({ ServiceID, NodeID, Slot }) => `${ServiceID} ${Slot ?? NodeID}`);
  return [...places.values()].some(({ length }) => length >= times);
}

/** The tasks for which there is no node. */
export const homeless = (tasks: readonly Task[]): Task[] =>
  tasks.filter(
    ({ DesiredState, Status }) =>
      DesiredState === "running" && Status.State === "pending" && (Status.Err ?? "").startsWith("no suitable node"),
  );

/** What went wrong with tasks, each once: "api-backend on node1: task: non-zero exit (1)". */
export function explain(tasks: readonly Task[], services: readonly Service[], nodes: readonly Node[]): string[] {
  const lines = tasks.map(({ ServiceID, NodeID, Status }) => {
    const service = services.find(({ ID }) => ID === ServiceID)?.Spec.Name ?? "a task";
    const node = nodes.find(({ ID }) => ID === NodeID)?.Description.Hostname;
    return `${service}${node === undefined ? "" : ` on ${node}`}: ${Status.Err || Status.Message}`;
  });
  return [...new Set(lines)];
}
