// A Compose file as `compose config` prints it and the grader runs it, and what the rules read from it.

import type { BuildOptions } from "./dockerfile.ts";

/** A published port; without a host port, the engine chooses one. */
export interface PublishedPort {
  readonly hostPort: number | undefined;
  readonly containerPort: number;
}

interface Build {
  context: string;
  dockerfile: string;
  target?: string;
  args?: ComposeService["environment"] | null;
  additional_contexts?: Record<string, string>;
}

/** A service, as `compose config` prints it; much of it has several forms, depending on the version of Compose. */
export interface ComposeService {
  image?: string;
  build?: string | Partial<Build>;
  ports?: (string | number | { published?: string | number; target: number })[];
  expose?: (string | number)[];
  environment?: Record<string, string | null> | string[];
  depends_on?: string[] | Record<string, unknown>;
  links?: string[];
  container_name?: string;
  networks?: string[] | Record<string, NetworkSettings | null>;
  network_mode?: string;
  runtime?: string;
}

interface NetworkSettings {
  aliases?: string[];
  ipv4_address?: string;
  ipv6_address?: string;
}

export interface ComposeConfig {
  services: Record<string, ComposeService>;
}

/** How a service is built, in the long form with its defaults; `undefined` if it only names an image. */
export function buildOf({ build }: ComposeService): Build | undefined {
  if (build === undefined) return undefined;
  return { context: ".", dockerfile: "Dockerfile", ...(typeof build === "string" ? { context: build } : build) };
}

/** The full name of an image: Docker adds what is missing. */
export function fullName(image: string): string {
  const name = image.replace(/^(index\.)?docker\.io\//, "").replace(/^library\//, "");
  return /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
}

/** The stage and the arguments of a service's build. */
export function buildOptionsOf(service: ComposeService): BuildOptions {
  const { target, args, additional_contexts = {} } = buildOf(service) ?? {};
  return { target, args: environmentOf({ environment: args ?? {} }), contexts: Object.keys(additional_contexts) };
}

export function portsOf({ ports = [] }: ComposeService): PublishedPort[] {
  return ports.map((port) => {
    if (typeof port === "object") {
      const hostPort = port.published === undefined ? undefined : Number(port.published);
      return { hostPort, containerPort: port.target };
    }
    const [containerPort, hostPort] = String(port)
      .replace(/\/\w+$/, "")
      .split(":")
      .reverse()
      .map(Number);
    return { hostPort, containerPort: containerPort ?? 0 };
  });
}

/** The port of the container that a service publishes as `hostPort`, else the first that it publishes. */
export function containerPortOf(service: ComposeService, hostPort: number): number {
  const ports = portsOf(service);
  return (ports.find((port) => port.hostPort === hostPort) ?? ports[0])?.containerPort ?? hostPort;
}

export function environmentOf({ environment = {} }: ComposeService): Record<string, string> {
  const entries = Array.isArray(environment)
    ? environment.map((entry) => [entry.split("=", 1)[0] ?? "", entry.split("=").slice(1).join("=")])
    : Object.entries(environment).map(([name, value]) => [name, value ?? ""]);
  return Object.fromEntries(entries);
}

/** The services that Compose starts before a service, directly or indirectly. */
export function dependenciesOf(config: ComposeConfig, name: string, seen = new Set<string>()): Set<string> {
  const { depends_on = [], links = [] } = config.services[name] ?? {};
  const direct = [
    ...(Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)),
    ...links.map((link) => link.split(":", 1)[0] ?? ""),
  ];
  for (const dependency of direct) {
    if (seen.has(dependency)) continue;
    seen.add(dependency);
    dependenciesOf(config, dependency, seen);
  }
  return seen;
}
