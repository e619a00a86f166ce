// A Swarm of several nodes on this machine: an engine in a network namespace each, on one network of their own.

import { runOrThrow } from "../host/command.ts";
import { NetworkNamespace } from "./network-namespace.ts";
import { OwnEngine } from "./own-engine.ts";
import { serveElsewhere } from "./registry.ts";
import { waitUntil } from "./wait-until.ts";

/** For documentation (RFC 5737): no network that an engine makes has such addresses. */
const PREFIX = "192.0.2";

/** The registry of the nodes. */
export const REGISTRY = `${PREFIX}.1:5000`;

export interface SwarmNode {
  readonly name: string;
  readonly address: string;
  readonly engine: OwnEngine;
}

const SWITCH = "switch";

/** The port of the bridge to which a node's cable leads. */
const portOf = (name: string) => `to-${name}`;

export class SwarmNodes {
  /** The network between the nodes; its bridge is a switch, and has an address too. */
  readonly lan = new NetworkNamespace("lan");
  readonly nodes: readonly SwarmNode[];
  #registry: Awaited<ReturnType<typeof serveElsewhere>> | undefined;

  constructor(count: number) {
    this.nodes = Array.from({ length: count }, (_, i) => {
      const name = `node${i + 1}`;
      return { name, address: `${PREFIX}.${11 + i}`, engine: new OwnEngine(name) };
    });
  }

  /** The first node. The others are workers: on a busy machine, three managers on two cores lose sight of each other. */
  get manager(): SwarmNode {
    const [first] = this.nodes;
    if (first === undefined) throw new Error("a Swarm has at least one node");
    return first;
  }

  /** @param registry the folder of a registry that the nodes are to have */
  async start(registry: string): Promise<void> {
    await this.#connect();
    this.#registry = await serveElsewhere(registry, REGISTRY, this.lan.command);
    await Promise.all(
      // The machine's own bridge, docker0, is needed by none.
      this.nodes.map(({ engine }) =>
        engine.start("--bridge", "none", "--insecure-registry", REGISTRY, "--shutdown-timeout", "1"),
      ),
    );
    const [first, ...others] = this.nodes;
    await this.docker("swarm", "init", "--advertise-addr", this.manager.address);
    const token = await this.docker("swarm", "join-token", "--quiet", "worker");
    for (const { engine, address } of others) {
      const { code, stderr } = await engine.docker(
        ...["swarm", "join", "--token", token, "--advertise-addr", address, `${first?.address}:2377`],
      );
      if (code !== 0) throw new Error(stderr);
    }
    await waitUntil("all nodes are ready", async () => {
      const states = await this.docker("node", "ls", "--format", "{{.Status}}");
      return states.split("\n").filter((state) => state === "Ready").length === this.nodes.length;
    });
  }

  /** Runs a docker command on the manager, and returns its stdout. */
  docker = (...args: readonly string[]): Promise<string> =>
    runOrThrow(["docker", "--host", this.manager.engine.host, ...args]);

  /** Takes a node off the switch, which then drops every packet to it and from it. Nobody is told: its cable stays in. */
  cut = ({ name }: SwarmNode) => this.#ip(this.lan, "link", "set", portOf(name), "nomaster");

  mend = ({ name }: SwarmNode) => this.#ip(this.lan, "link", "set", portOf(name), "master", SWITCH);

  /** Ends all, and removes all that it had. */
  async remove(): Promise<void> {
    await Promise.all(this.nodes.map(({ engine }) => engine.remove()));
    await this.#registry?.stop();
    await this.lan.remove();
  }

  async #connect(): Promise<void> {
    await this.lan.ready;
    await this.#ip(this.lan, "link", "add", SWITCH, "type", "bridge");
    await this.#ip(this.lan, "address", "add", `${PREFIX}.1/24`, "dev", SWITCH);
    await this.#ip(this.lan, "link", "set", SWITCH, "up");
    for (const { name, address, engine } of this.nodes) {
      const { namespace } = engine;
      await namespace.ready;
      const port = portOf(name);
      await this.#ip(
        this.lan,
        ...["link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", String(namespace.pid)],
      );
      await this.#ip(this.lan, "link", "set", port, "master", SWITCH, "up");
      await this.#ip(namespace, "address", "add", `${address}/24`, "dev", "eth0");
      await this.#ip(namespace, "link", "set", "eth0", "up");
    }
  }

  #ip = (namespace: NetworkNamespace, ...args: readonly string[]) => runOrThrow(namespace.command("ip", ...args));
}
