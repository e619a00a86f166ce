import { Ungradable } from "../errors.ts";
import { isPrivate, isUsedHere, rangeOf } from "./addresses.ts";
import type { ComposeSource } from "./compose-source.ts";
import { isMapping, listOf, type Mapping } from "./compose-text.ts";
import { WHY } from "./refusal.ts";

const ENDPOINT_KEYS = ["aliases", "ipv4_address", "ipv6_address", "priority"];

/** What is allowed of a configuration's networks, and of the services' places on them. */
export class Networks {
  /** The names that the submission gives them on its author's machine. */
  readonly #names = new Map<string, string>();

  constructor(readonly source: ComposeSource) {}

  async define(key: string, value: Mapping): Promise<Mapping> {
    const path = ["networks", key];
    if (value.external) this.source.refuse(path, value, WHY.network);
    if (![undefined, null, "", "default", "bridge"].includes(value.driver as string))
      this.source.refuse([...path, "driver"], value.driver, WHY.network);
    // Its name on this machine is the grader's affair.
    const { name, external: _, ipam, ...rest } = value;
    if (typeof name === "string") this.#names.set(key, name);
    const picked = this.source.pick(path, rest, ["driver", "internal", "enable_ipv6"]);
    if (!isMapping(ipam)) return picked;
    for (const pool of listOf(ipam.config)) this.#subnet([...path, "ipam"], isMapping(pool) ? pool.subnet : undefined);
    return { ...picked, ipam: this.source.pick([...path, "ipam"], ipam, ["config"]) };
  }

  /** @throws {Ungradable} if this machine uses addresses of it itself */
  #subnet(key: readonly string[], subnet: unknown): void {
    if (subnet == null) return;
    const range = rangeOf(String(subnet));
    if (range === undefined || !isPrivate(range)) this.source.refuse(key, subnet, WHY.addresses);
    // Perhaps for another submission, which is graded at the same time.
    else if (isUsedHere(range))
      throw new Ungradable(`this machine uses addresses of the submission's network ${subnet} itself`, true);
  }

  /** @param names by which Docker knows the service on each network */
  endpoints(key: readonly string[], networks: Mapping, names: readonly string[]): Mapping {
    const entries = Object.entries(networks).map(([network, value]) => {
      const settings = isMapping(value) ? this.source.pick([...key, network], value, ENDPOINT_KEYS) : {};
      const aliases = listOf(settings.aliases);
      const name = this.#names.get(network);
      // Docker resolves each name also with the network's behind it, which is another one here.
      const full = name === undefined ? [] : [...names, ...aliases].map((alias) => `${alias}.${name}`);
      return [network, { ...settings, aliases: [...aliases, ...full] }];
    });
    return Object.fromEntries(entries);
  }
}
