import { isIPv6 } from "node:net";
import type { Container } from "../host/docker.ts";

/**
 * Tells whether the frontend reaches the backend by a value of API_BACKEND_URL, as Docker resolves names.
 *
 * @param value a host name or an address, as the subject asks for, or a whole URL
 * @param networks the names of the bridge networks that both are on
 */
export function isBackend(
  value: string,
  backend: Container,
  frontend: Container,
  networks: readonly string[],
): boolean {
  return namesOf(backend, frontend, networks).map(hostOf).includes(hostOf(value));
}

/**
 * The host of a value, in one spelling: DNS does not distinguish upper case, and the dot at the end of a full name may be
 * left out. Docker does distinguish it in the aliases of links; a frontend that fails for that shows it in its response.
 */
function hostOf(value: string): string {
  const authority = isIPv6(value) ? `[${value}]` : value;
  const url = authority.includes("://") ? authority : `http://${authority}`;
  const host = URL.canParse(url) ? new URL(url).hostname : value;
  return host.toLowerCase().replace(/\.$/, "");
}

function namesOf(backend: Container, frontend: Container, networks: readonly string[]): string[] {
  const name = backend.Name.slice(1);
  const addresses: string[] = [];
  const names = linksTo(backend, frontend.HostConfig.Links);
  for (const network of networks) {
    const settings = backend.NetworkSettings.Networks[network];
    if (settings === undefined) continue;
    addresses.push(settings.IPAddress, settings.GlobalIPv6Address);
    // Engines from 26 on list the container's own names, such as its `hostname`, under DNSNames only.
    const own = [name, ...(settings.Aliases ?? []), ...(settings.DNSNames ?? [])];
    const links = linksTo(backend, frontend.NetworkSettings.Networks[network]?.Links);
    // Docker resolves each name also with the network behind it.
    names.push(...[...own, ...links].flatMap((alias) => [alias, `${alias}.${network}`]));
  }
  const known = addresses.filter((address) => address !== "");
  return [...known, ...names, ...extraHosts(frontend, known)];
}

/** The aliases of links, which are `container:alias`, and on the default bridge `/container:/frontend/alias`. */
function linksTo(backend: Container, links: readonly string[] | null | undefined): string[] {
  const targets = [backend.Name, backend.Name.slice(1)];
  return (links ?? [])
    .map((link) => link.split(":"))
    .filter(([target = ""]) => targets.includes(target))
    .map(([, alias = ""]) => alias.split("/").at(-1) ?? "");
}

/** The names that the frontend's `extra_hosts`, which are `name:address`, give to these addresses. */
function extraHosts({ HostConfig }: Container, addresses: readonly string[]): string[] {
  return (HostConfig.ExtraHosts ?? [])
    .map((entry) => /^([^:]+):\[?(.*?)\]?$/.exec(entry))
    .filter((match) => addresses.includes(match?.[2] ?? ""))
    .map((match) => match?.[1] ?? "");
}
