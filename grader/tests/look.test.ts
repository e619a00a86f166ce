// What the helper container sees of a container, on the real engine, whatever the container's processes do.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { run, runOrThrow } from "../../host/command.ts";
import { type Container, inspect } from "../../host/docker.ts";
import { removeProject } from "../../host/removal.ts";
import { describeWithEngine } from "../../testing/engine.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { look } from "../container-processes.ts";
import { helperImage } from "../helper-image.ts";
import { listenersOn, type ProcessView } from "../process-view.ts";
import { MINUTE_MS } from "./grading.ts";

setDefaultTimeout(2 * MINUTE_MS);

/** Listens, as a child of the shell that runs it. */
const LISTEN = "/bin/busybox httpd -f -p 8001";

describeWithEngine("a look at the processes of a container", () => {
  let image = "";
  const ids: string[] = [];
  beforeAll(async () => {
    image = await helperImage();
  });
  afterAll(() => run(["docker", "rm", "--force", ...ids]));

  /** Starts a container with busybox, and returns what to look at. */
  async function start(command: readonly string[], ...options: string[]) {
    const id = await runOrThrow(["docker", "run", "--detach", ...options, image, "/bin/busybox", ...command]);
    ids.push(id);
    return {
      project: `grader${process.pid}look${ids.length}`,
      container: () => inspect<Container>(id),
      runtime: undefined,
    };
  }

  /** Looks until something listens. */
  async function lookUntilListening(stack: Awaited<ReturnType<typeof start>>): Promise<ProcessView> {
    let view: ProcessView | undefined;
    await waitUntil("something listens", async () => {
      view = await look(stack, "backend");
      return view !== undefined && listenersOn(8001, view).length > 0;
    });
    return view ?? expect.unreachable();
  }

  test.concurrent.each([
    ["root", []],
    ["another user", ["--user", "65534"]],
    ["another user without rights", ["--user", "65534", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]],
  ])("process 1 listens as %s", async (_, options) => {
    const view = await lookUntilListening(await start(LISTEN.split(" ").slice(1), ...options));
    expect(view).toEqual({
      pid1: { id: 1, name: "busybox" },
      sockets: [{ port: 8001, holders: [{ id: 1, name: "busybox" }] }],
    });
  });

  test.concurrent("a child of process 1 listens; only the first line of a name is read, without control characters", async () => {
    const rename = String.raw`printf '\033[1m\nend\n' >/proc/self/comm`;
    const view = await lookUntilListening(await start(["sh", "-c", `${rename}; ${LISTEN} & wait`]));
    expect(view.pid1).toEqual({ id: 1, name: "?[1m" });
    expect(listenersOn(8001, view)).toEqual([{ id: expect.any(Number), name: "busybox" }]);
    expect(listenersOn(8001, view)[0]?.id).toBeGreaterThan(1);
  });

  test.concurrent("thousands of processes do not hide who listens", async () => {
    const stack = await start(["sh", "-c", `for i in $(seq 3000); do sleep 600 & done; exec ${LISTEN}`], "--init");
    const view = await lookUntilListening(stack);
    expect(view.pid1.id).toBe(1);
    expect(listenersOn(8001, view).map(({ id }) => id)).not.toContain(1);
  });

  test.concurrent("there is nothing to see in a container that has ended", async () => {
    const stack = await start(["true"]);
    await waitUntil("it has ended", async () => (await stack.container()).State.Status === "exited");
    expect(await look(stack, "backend")).toBeUndefined();
  });

  test.concurrent("a container that ends again and again is no error", async () => {
    const stack = await start(["sleep", "0.1"], "--restart", "always");
    for (let i = 0; i < 5; i++) expect((await look(stack, "backend"))?.sockets ?? []).toEqual([]);
  });

  test.concurrent.each([
    ["KILL", "kills"],
    ["STOP", "stops"],
  ])("a container that sends SIG%s to the helper is no error, and the helper can be removed", async (signal) => {
    const attack = `cd /proc; for p in [0-9]*; do case $p in 1|$$) ;; *) kill -${signal} $p ;; esac; done`;
    const stack = await start(["sh", "-c", `while :; do ${attack}; done 2>/dev/null`]);
    expect((await look(stack, "backend"))?.sockets ?? []).toEqual([]);
    // A helper that was stopped while it started goes with the container, as at the end of a grading.
    await runOrThrow(["docker", "rm", "--force", (await stack.container()).Id]);
    await removeProject(stack.project);
    const filter = `label=com.docker.compose.project=${stack.project}`;
    expect(await runOrThrow(["docker", "ps", "--all", "--quiet", "--filter", filter])).toBe("");
  });
});
