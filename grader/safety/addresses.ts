// Ranges of addresses that a submission's networks may have: Docker routes them to the network, whoever had them before.

import { getServers } from "node:dns";
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";

export interface Range {
  readonly address: string;
  readonly prefix: number;
  readonly family: "ipv4" | "ipv6";
}

/** A range in CIDR notation (RFC 4632), such as `172.30.0.0/16`; `undefined` if it is none. */
export function rangeOf(cidr: string): Range | undefined {
  const [, address = "", prefix = ""] = /^(.+)\/(\d+)$/.exec(cidr) ?? [];
  const version = isIP(address);
  if (version === 0 || Number(prefix) > (version === 4 ? 32 : 128)) return undefined;
  return { address, prefix: Number(prefix), family: version === 4 ? "ipv4" : "ipv6" };
}

/** For private networks (RFC 1918, section 3; RFC 4193, section 3.1). */
const PRIVATE: readonly Range[] = [
  { address: "10.0.0.0", prefix: 8, family: "ipv4" },
  { address: "172.16.0.0", prefix: 12, family: "ipv4" },
  { address: "192.168.0.0", prefix: 16, family: "ipv4" },
  { address: "fc00::", prefix: 7, family: "ipv6" },
];

const has = ({ address, prefix, family }: Range, other: string): boolean => {
  const list = new BlockList();
  list.addSubnet(address, prefix, family);
  return isIP(other) === (family === "ipv4" ? 4 : 6) && list.check(other, family);
};

/** Whether all addresses of a range are for private networks. */
export const isPrivate = (range: Range): boolean =>
  PRIVATE.some((network) => range.prefix >= network.prefix && has(network, range.address));

/** Whether this machine has an address in a range, or reaches its name servers or a network there. */
export function isUsedHere(range: Range): boolean {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const networks = own.flatMap(({ cidr }) => (cidr ? (rangeOf(cidr) ?? []) : []));
  const addresses = [...own.map(({ address }) => address), ...getServers()];
  return addresses.some((address) => has(range, address)) || networks.some((network) => has(network, range.address));
}
