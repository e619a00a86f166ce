// The Compose file that runs: written by the grader from what it allows, after Compose has put in the values of variables.

import { relative, resolve } from "node:path";
import type { Bounds } from "./bounds.ts";
import type { ComposeSource } from "./compose-source.ts";
import { isMapping, listOf, type Mapping } from "./compose-text.ts";
import { DEFAULT_CAPABILITIES, KNOWN_BUILD_KEYS, KNOWN_KEYS } from "./keys.ts";
import type { Mounts } from "./mounts.ts";
import { Networks } from "./networks.ts";
import { WHY } from "./refusal.ts";

/** The lab asks for two. */
const MAX_SERVICES = 10;

/**
 * What of a configuration, as `compose config` prints it, is allowed. Refusals, and the keys that it leaves out, are added
 * to the source.
 */
export async function allowed(
  source: ComposeSource,
  config: Mapping,
  bounds: Bounds,
  mounts: Mounts,
): Promise<Mapping> {
  const { name: project, services, networks, volumes, secrets, configs } = config;
  const names = Object.keys(isMapping(services) ? services : {});
  if (names.length > MAX_SERVICES) source.refuse(["services"], names.length, WHY.limit);
  const network = new Networks(source);
  const checked = new Checked(
    source,
    bounds.forServices(names.length),
    names,
    Object.keys(isMapping(secrets) ? secrets : {}),
    network,
    mounts,
  );
  const sections = {
    networks: await each(networks, (name, value) => network.define(name, value)),
    volumes: await each(volumes, (name, value) => mounts.defineVolume(name, value)),
    secrets: await each(secrets, (name, value) => mounts.defineFile("secrets", name, value)),
    configs: await each(configs, (name, value) => mounts.defineFile("configs", name, value)),
  };
  const filled = Object.entries(sections).filter(([, section]) => Object.keys(section).length > 0);
  return {
    ...Object.fromEntries(filled),
    services: await each(services, async (name, value) => ({
      // What Compose 2 calls the container: another service may know it by that name.
      ...(project === undefined ? {} : { container_name: `${project}-${name}-1` }),
      ...(await checked.service(name, value)),
    })),
  };
}

async function each(section: unknown, check: (name: string, value: Mapping) => Promise<unknown>): Promise<Mapping> {
  const result: Mapping = {};
  for (const [name, value] of Object.entries(isMapping(section) ? section : {}))
    result[name] = await check(name, isMapping(value) ? value : {});
  return result;
}

class Checked {
  constructor(
    readonly source: ComposeSource,
    readonly bounds: (service: Mapping) => Mapping,
    readonly services: readonly string[],
    readonly secrets: readonly string[],
    readonly networks: Networks,
    readonly mounts: Mounts,
  ) {}

  async service(name: string, value: Mapping): Promise<Mapping> {
    const key = ["services", name];
    const service = this.source.pick(key, value, [...KNOWN_KEYS]);
    // Resolved by Compose; or the grader's affair.
    for (const gone of ["env_file", "extends", "profiles", "pull_policy", "ipc"]) delete service[gone];
    this.checkNamespaces(key, value);
    if (service.build !== undefined) service.build = await this.build([...key, "build"], service.build);
    if (service.volumes !== undefined)
      service.volumes = await this.mounts.ofService([...key, "volumes"], listOf(service.volumes));
    if (service.volumes_from !== undefined) service.volumes_from = this.volumesFrom(key, listOf(service.volumes_from));
    for (const capability of listOf(service.cap_add))
      if (!DEFAULT_CAPABILITIES.has(String(capability).toUpperCase().replace(/^CAP_/, "")))
        this.source.refuse([...key, "cap_add"], capability, WHY.capability);
    if (service.security_opt !== undefined)
      service.security_opt = this.securityOptions(key, listOf(service.security_opt));
    if (service.deploy !== undefined) service.deploy = restartPolicy(service.deploy);
    if (service.labels !== undefined) service.labels = labels(service.labels);
    if (isMapping(service.networks))
      service.networks = this.networks.endpoints([...key, "networks"], service.networks, namesOf(name, service));
    if (isMapping(service.healthcheck)) service.healthcheck = slowed(service.healthcheck);
    return { ...service, ...this.bounds(service) };
  }

  checkNamespaces(key: readonly string[], { network_mode, ipc }: Mapping) {
    // Any other value is the name of a network of this machine. Rules judge `host`; it is not started.
    if (!/^(|bridge|default|none|host|service:.*)$/.test(String(network_mode ?? "")))
      this.source.refuse([...key, "network_mode"], network_mode, WHY.namespace);
    if (/^(host$|container:)/.test(String(ipc ?? ""))) this.source.refuse([...key, "ipc"], ipc, WHY.namespace);
  }

  /** The volumes of other services of the file. */
  volumesFrom(key: readonly string[], items: readonly unknown[]): unknown[] {
    // A service may be called `container`.
    const isForeign = (from: unknown) =>
      String(from).startsWith("container:") || !this.services.includes(String(from).split(":", 1)[0] ?? "");
    for (const from of items.filter(isForeign)) this.source.refuse([...key, "volumes_from"], from, WHY.container);
    return items.filter((from) => !isForeign(from));
  }

  async build(key: readonly string[], value: unknown): Promise<Mapping | undefined> {
    const build = isMapping(value) ? value : { context: value };
    const { context, dockerfile, network, ...rest } = build;
    if (network === "host" || String(network).startsWith("container:"))
      this.source.refuse([...key, "network"], network, WHY.namespace);
    const path = String(context ?? "");
    const real = this.source.locate(path);
    if (real === undefined) {
      this.source.refuse([...key, "context"], context, path.startsWith("/") ? WHY.outside : WHY.remote);
      return undefined;
    }
    const picked = this.source.pick(key, rest, [...KNOWN_BUILD_KEYS]);
    if (isMapping(picked.additional_contexts))
      picked.additional_contexts = this.contexts([...key, "additional_contexts"], picked.additional_contexts);
    for (const secret of listOf(picked.secrets)) {
      const name = isMapping(secret) ? secret.source : secret;
      if (!this.secrets.includes(String(name))) this.source.refuse([...key, "secrets"], name, WHY.secret);
    }
    if (dockerfile === undefined || picked.dockerfile_inline !== undefined) return { ...picked, context: real };
    const file = this.source.locate(resolve(real, String(dockerfile)));
    if (file === undefined) this.source.refuse([...key, "dockerfile"], dockerfile, WHY.outside);
    return { ...picked, context: real, ...(file === undefined ? {} : { dockerfile: relative(real, file) }) };
  }

  /** Folders of the submission; others are left out. */
  contexts(key: readonly string[], contexts: Mapping): Mapping {
    const kept: Mapping = {};
    for (const [name, path] of Object.entries(contexts)) {
      const real = this.source.locate(String(path));
      if (real === undefined) this.source.dropped.add([...key, name].join("."));
      else kept[name] = real;
    }
    return kept;
  }

  securityOptions(key: readonly string[], options: readonly unknown[]): unknown[] {
    for (const option of options)
      if (!/^(no-new-privileges([:=]true)?|apparmor[:=]docker-default)$/.test(String(option)))
        this.source.refuse([...key, "security_opt"], option, WHY.confinement);
    return [...options];
  }
}

const namesOf = (name: string, { container_name }: Mapping): string[] =>
  typeof container_name === "string" ? [name, container_name] : [name];

/** Of `deploy` only the restart policy: one container of each service, within the grader's bounds. */
const restartPolicy = (deploy: unknown): Mapping =>
  isMapping(deploy) && deploy.restart_policy !== undefined ? { restart_policy: deploy.restart_policy } : {};

/** The engine would run a probe every millisecond. */
function slowed(healthcheck: Mapping): Mapping {
  const isTooShort = (interval: unknown) => /^([\d.]+(ms|us|µs|ns)|0*\.\d+s)$/.test(String(interval));
  const entries = Object.entries(healthcheck).map(([name, value]) => [
    name,
    /interval$/.test(name) && isTooShort(value) ? "1s" : value,
  ]);
  return Object.fromEntries(entries);
}

/** Labels by which Compose finds its containers are not the submission's. */
function labels(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((label) => !String(label).startsWith("com.docker."));
  return Object.fromEntries(
    Object.entries(isMapping(value) ? value : {}).filter(([name]) => !name.startsWith("com.docker.")),
  );
}
