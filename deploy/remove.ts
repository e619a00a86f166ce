import { docker } from "../host/docker.ts";
import { Refusal } from "../host/refusal.ts";
import { ask, networksOf, nodes, STACK_LABEL, services, tasksOf } from "./cluster.ts";

const POLL_MS = 500;

/** Longer than the grace period in swarm.yaml. A task on a node that does not answer goes when the node is back. */
const TIMEOUT_MS = 60_000;

/**
 * Removes a stack, and waits until its tasks and networks are gone.
 *
 * @throws {Refusal} naming what is left
 */
export async function removeStack(stack: string, say: (line: string) => void): Promise<void> {
  // It may complain that a network is still in use: that is seen to below.
  await docker(["stack", "rm", stack], { ownGroup: true });
  let last = "";
  for (const end = performance.now() + TIMEOUT_MS; ; await Bun.sleep(POLL_MS)) {
    const [left, tasks, networks] = await Promise.all([services(stack), tasksOf(stack), networksOf(stack)]);
    if (left.length + tasks.length + networks.length === 0 && !(await hasContainers(stack))) return;
    const line = `${tasks.length} task(s) and ${networks.length} network(s) left`;
    if (line !== last) say(line);
    last = line;
    if (left.length > 0) await ask("service", "rm", ...left.map(({ ID }) => ID));
    else if (tasks.length === 0) for (const id of networks) await docker(["network", "rm", id], { ownGroup: true });
    if (performance.now() < end) continue;
    const all = await nodes();
    const names = tasks.map(({ NodeID }) => all.find(({ ID }) => ID === NodeID)?.Description.Hostname ?? "no node");
    throw new Refusal(
      `after ${TIMEOUT_MS / 1000} s there are still ${line}${names.length > 0 ? `, on ${[...new Set(names)].join(", ")}` : ""}.`,
      "Those on a node that does not answer go when it is back. Look again:  make undeploy",
    );
  }
}

/** Whether this engine still has containers of a stack: it removes them a moment after Swarm has forgotten the tasks. */
const hasContainers = async (stack: string): Promise<boolean> =>
  (await ask("ps", "--all", "--quiet", "--filter", `label=${STACK_LABEL}=${stack}`)) !== "";
