import { docker } from "../host/docker.ts";
import { helperImage } from "./helper-image.ts";
import { type ProcessView, parseView, VIEW_SCRIPT } from "./process-view.ts";
import { Skipped } from "./rule.ts";
import type { Stack } from "./stack.ts";
import type { Role } from "./submission.ts";
import { text } from "./text.ts";

/** A process of the submission may stop the helper with a signal, even while the engine starts it. */
const TIMEOUT_S = { look: 20, removal: 5 };

/** Root reads /proc of all users with these capabilities, and can do little else. */
const RIGHTS = [
  ...["--user", "0", "--cap-drop", "ALL", "--cap-add", "SYS_PTRACE", "--cap-add", "DAC_READ_SEARCH"],
  ...["--security-opt", "no-new-privileges", "--read-only", "--memory", "64m", "--pids-limit", "16"],
];

let looks = 0;

const notShown = (runtime: string) =>
  text(
    `the runtime ${runtime} does not show the processes of the containers`,
    `le runtime ${runtime} ne montre pas les processus des conteneurs`,
  );

/**
 * Looks at the processes of a service from a helper container, which shares their namespaces: that needs no rights on
 * this machine, and works with any engine.
 *
 * @returns `undefined` if there was nothing to see: the container does not run or has just ended, or the helper was
 *   killed. It may work the next time.
 * @throws {Skipped} if there is no image for the helper, or the containers run in a sandbox
 * @throws {DockerError} if the service has no container
 */
export async function look(
  stack: Pick<Stack, "project" | "container" | "runtime">,
  role: Role,
): Promise<ProcessView | undefined> {
  // A sandbox has processes and sockets of its own, which the machine's kernel does not know.
  if (stack.runtime !== undefined) throw new Skipped(notShown(stack.runtime));
  const image = await helperImage();
  const { Id } = await stack.container(role);
  const name = `${stack.project}-look${++looks}`;
  // With the project's label, the helper of an interrupted grading is removed with the stack.
  const identity = ["--name", name, "--label", `com.docker.compose.project=${stack.project}`];
  const namespaces = ["--pid", `container:${Id}`, "--network", `container:${Id}`];
  const command = [image, "/bin/busybox", "sh", "-c", VIEW_SCRIPT];
  const options = { seconds: TIMEOUT_S.look };
  const { code, stdout } = await docker(["run", "--rm", ...identity, ...namespaces, ...RIGHTS, ...command], options);
  // Its client was killed, so --rm has no effect. What cannot be removed now goes with the stack.
  if (code === 124) await docker(["rm", "--force", name], { seconds: TIMEOUT_S.removal });
  return code === 0 ? parseView(stdout) : undefined;
}
