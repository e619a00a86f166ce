// What is done to the stack while it is under load.
import { resolve } from "node:path";
import { working } from "../../deploy/cluster.ts";
import { type Snapshot, snapshot } from "../../deploy/rollout.ts";
import { run } from "../../host/command.ts";
import { REGISTRY, type SwarmNode, type SwarmNodes } from "../../testing/swarm-nodes.ts";
import { waitUntil } from "../../testing/wait-until.ts";
import { VERSIONS, variables } from "./images.ts";
import { type Phase, summarize } from "./results.ts";
import { Traffic } from "./traffic.ts";

/** Requests per second. */
export const RATE = 200;
const PORT = 8000;
const STACK = "tpdocker";

/** The load goes on for as long after a phase: what is to come of it, comes. */
const AFTER_MS = 3000;
const FULL_STRENGTH_MS = 120_000;

export class Phases {
  readonly results: Phase[] = [];
  readonly #swarm: SwarmNodes;
  readonly #traffic: Traffic;
  readonly #say: (line: string) => void;

  constructor(swarm: SwarmNodes, say: (line: string) => void) {
    this.#swarm = swarm;
    this.#say = say;
    const targets = swarm.nodes.map(({ address }) => `${address}:${PORT}`);
    const command = [process.execPath, resolve("bench/scale/balancer.ts"), String(RATE), ...targets];
    this.#traffic = new Traffic(swarm.lan.command(...command));
  }

  async all(): Promise<void> {
    const [, second, third] = this.#swarm.nodes;
    if (second === undefined || third === undefined) throw new Error("three nodes are needed");
    await this.#phase("first deployment", () => this.#deploy(VERSIONS.first));
    await this.#phase("no change", () => Bun.sleep(5000));
    await this.#phase("update to another version", () => this.#deploy(VERSIONS.next));
    await this.#phase("update to a version that exits, rolled back", () => this.#fail(VERSIONS.crashes));
    await this.#phase("update to a version that is not healthy, rolled back", () => this.#fail(VERSIONS.sick));
    await this.#phase("`/traceback` on each backend in turn", () => this.#crashBackends());
    await this.#phase("`/traceback` on each frontend in turn", () => this.#crashFrontends());
    await this.#phase("a node is drained", () => this.#setAvailability(second, "drain"));
    await this.#phase("it is active again", () => this.#setAvailability(second, "active"));
    await this.#phase("a node is cut off: no packet answers", async () => {
      await this.#swarm.cut(third);
      await waitUntil("it is seen", async () => working((await snapshot(STACK)).nodes).length === 2, FULL_STRENGTH_MS);
    });
    await this.#phase("it is back", async () => {
      await this.#swarm.mend(third);
      await waitUntil("it is seen", async () => working((await snapshot(STACK)).nodes).length === 3, FULL_STRENGTH_MS);
    });
    for (const backends of [1, 4, 1])
      await this.#phase(`scaled to ${backends} backend${backends > 1 ? "s" : ""}`, () =>
        this.#deploy(VERSIONS.next, backends),
      );
  }

  stop = () => this.#traffic.stop();

  async #phase(name: string, action: () => Promise<unknown>): Promise<void> {
    this.#say(name);
    const start = performance.now();
    let end = start;
    const samples = await this.#traffic.during(async () => {
      await action();
      await this.#fullStrength();
      end = performance.now();
      await Bun.sleep(AFTER_MS);
    });
    const phase = summarize(name, samples, (end - start) / 1000);
    this.results.push(phase);
    this.#say(`  ${JSON.stringify(phase)}`);
  }

  /** Waits until all tasks run, and the balancer sends to all frontends. */
  async #fullStrength(): Promise<void> {
    const isFull = ({ progress, nodes }: Snapshot) =>
      progress.every(({ isSettled }) => isSettled) && this.#traffic.ready === working(nodes).length;
    await waitUntil("the stack is at full strength", async () => isFull(await snapshot(STACK)), FULL_STRENGTH_MS);
  }

  /** Runs make deploy on the manager. */
  #make(version: string, backends: number) {
    const env = {
      ...variables(REGISTRY),
      LAB_VERSION: version,
      LAB_BACKENDS: String(backends),
      COMPOSE_PROJECT_NAME: STACK,
    };
    return run(this.#swarm.manager.engine.beside("make", "deploy"), { env });
  }

  async #deploy(version: string, backends = 3): Promise<void> {
    const { code, stderr } = await this.#make(version, backends);
    if (code !== 0) throw new Error(stderr);
  }

  async #fail(version: string): Promise<void> {
    const { code, stderr } = await this.#make(version, 3);
    if (code === 0 || !stderr.includes("was rolled back")) throw new Error(`it was to be rolled back: ${stderr}`);
    this.#say(stderr.slice(stderr.indexOf("error: ")).trim());
  }

  async #crashBackends(): Promise<void> {
    for (const { engine } of this.#swarm.nodes) {
      const { stdout } = await engine.docker("ps", "--quiet", "--filter", "name=api-backend");
      for (const id of stdout.trim().split("\n").filter(Boolean)) {
        const pid = (await engine.docker("inspect", "--format", "{{.State.Pid}}", id)).stdout.trim();
        await crash(["nsenter", `--net=/proc/${pid}/ns/net`, "--"], "127.0.0.1:8001");
        await this.#recovered();
      }
    }
  }

  async #crashFrontends(): Promise<void> {
    for (const { address } of this.#swarm.nodes) {
      await crash(this.#swarm.lan.command(), `${address}:${PORT}`);
      await this.#recovered();
    }
  }

  /** After a crash: it takes a moment until it is seen. */
  async #recovered(): Promise<void> {
    await Bun.sleep(1500);
    await this.#fullStrength();
  }

  async #setAvailability({ name }: SwarmNode, availability: "drain" | "active"): Promise<void> {
    await this.#swarm.docker("node", "update", "--availability", availability, name);
    await Bun.sleep(1000);
  }
}

/** Asks a service for /traceback, which has no answer. */
async function crash(within: readonly string[], address: string): Promise<void> {
  const program = `await fetch("http://${address}/traceback")`;
  const { code } = await run([...within, process.execPath, "-e", program]);
  if (code === 0) throw new Error(`${address}/traceback answered`);
}
