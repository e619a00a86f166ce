// A Compose file as `compose config` gives it, and what the rules read from it.

/** A published port as a Compose file gives it. */
export interface Port {
  readonly outside: number | undefined;
  readonly inside: number;
}

/** A service, as `compose config` gives it; both generations spell much of it in several ways. */
export interface ComposeService {
  image?: string;
  build?: string | { context?: string; dockerfile?: string; target?: string; tags?: string[] };
  ports?: (string | number | { published?: string | number; target: number })[];
  expose?: (string | number)[];
  environment?: Record<string, string | null> | string[];
  depends_on?: string[] | Record<string, unknown>;
  links?: string[];
  container_name?: string;
  networks?: string[] | Record<string, { aliases?: string[] } | null>;
  network_mode?: string;
  pull_policy?: string;
}

export interface ComposeConfig {
  name?: string;
  services: Record<string, ComposeService>;
  networks?: Record<string, { name?: string; external?: unknown } | null>;
  volumes?: Record<string, { name?: string; external?: unknown } | null>;
}

export function portsOf({ ports = [] }: ComposeService): Port[] {
  return ports.map((port) => {
    if (typeof port === "object") {
      return { outside: port.published === undefined ? undefined : Number(port.published), inside: port.target };
    }
    const [inside, outside] = String(port)
      .replace(/\/\w+$/, "")
      .split(":")
      .reverse()
      .map(Number);
    return { outside, inside: inside ?? 0 };
  });
}

export function environmentOf({ environment = {} }: ComposeService): Record<string, string> {
  const entries = Array.isArray(environment)
    ? environment.map((entry) => [entry.split("=", 1)[0] ?? "", entry.split("=").slice(1).join("=")])
    : Object.entries(environment).map(([name, value]) => [name, value ?? ""]);
  return Object.fromEntries(entries);
}

/** The services that must have been started before a service. */
export function startedBefore(config: ComposeConfig, name: string, seen = new Set<string>()): Set<string> {
  const { depends_on = [], links = [] } = config.services[name] ?? {};
  const direct = [
    ...(Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)),
    ...links.map((link) => link.split(":", 1)[0] ?? ""),
  ];
  for (const other of direct) {
    if (seen.has(other)) continue;
    seen.add(other);
    startedBefore(config, other, seen);
  }
  return seen;
}
