// The Compose file that runs: written by the grader from what it allows, after Compose has put in the values of variables.

import { basename, relative, resolve } from "node:path";
import { Ungradable } from "../errors.ts";
import { isPrivate, isUsedHere, rangeOf } from "./addresses.ts";
import type { Bounds } from "./bounds.ts";
import { type ComposeSource, isMapping } from "./compose-source.ts";
import { KNOWN_BUILD_KEYS, KNOWN_KEYS } from "./keys.ts";
import { WHY } from "./refusal.ts";

type Mapping = Record<string, unknown>;

/** The lab asks for two. */
const MAX_SERVICES = 10;
/** Each is a copy of its own. */
const MAX_BINDS = 10;

/** Gives a service something of the submission's folder: a copy of its own. */
export type Bind = (path: string) => Promise<string>;

/**
 * What of a configuration, as `compose config` prints it, is allowed. Refusals, and the keys that it leaves out, are added
 * to the source.
 */
export async function allowed(source: ComposeSource, config: Mapping, bounds: Bounds, bind: Bind): Promise<Mapping> {
  const { name: project, services, networks, volumes, secrets, configs } = config;
  const count = Object.keys(isMapping(services) ? services : {}).length;
  if (count > MAX_SERVICES) source.refuse(["services"], count, WHY.limit);
  const checked = new Checked(source, bounds.forServices(count), bind, Object.keys(isMapping(volumes) ? volumes : {}));
  const sections = {
    networks: await each(networks, (name, value) => checked.network(name, value)),
    volumes: await each(volumes, (name, value) => checked.volume(name, value)),
    secrets: await each(secrets, (name, value) => checked.file("secrets", name, value)),
    configs: await each(configs, (name, value) => checked.file("configs", name, value)),
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

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value == null ? [] : [value]);

class Checked {
  #binds = 0;

  constructor(
    readonly source: ComposeSource,
    readonly bounds: (service: Mapping) => Mapping,
    readonly bind: Bind,
    readonly volumes: readonly string[],
  ) {}

  /** The known keys of a mapping; the others are dropped. */
  pick(key: readonly string[], value: Mapping, known: readonly string[]): Mapping {
    const picked: Mapping = {};
    for (const [name, item] of Object.entries(value)) {
      if (known.includes(name)) picked[name] = item;
      else if (item !== null) this.source.dropped.add([...key, name].join("."));
    }
    return picked;
  }

  async network(name: string, value: Mapping): Promise<Mapping> {
    const key = ["networks", name];
    if (value.external) this.source.refuse(key, value, WHY.network);
    if (![undefined, null, "", "default", "bridge"].includes(value.driver as string))
      this.source.refuse([...key, "driver"], value.driver, WHY.network);
    // Its name on the machine is the grader's affair.
    const { name: _, external: __, ipam, ...rest } = value;
    const picked = this.pick(key, rest, ["driver", "internal", "enable_ipv6"]);
    if (!isMapping(ipam)) return picked;
    for (const pool of listOf(ipam.config)) this.subnet([...key, "ipam"], isMapping(pool) ? pool.subnet : undefined);
    return { ...picked, ipam: this.pick([...key, "ipam"], ipam, ["config"]) };
  }

  /** @throws {Ungradable} if this machine uses addresses of it itself */
  subnet(key: readonly string[], subnet: unknown): void {
    if (subnet == null) return;
    const range = rangeOf(String(subnet));
    if (range === undefined || !isPrivate(range)) this.source.refuse(key, subnet, WHY.addresses);
    else if (isUsedHere(range))
      throw new Ungradable(`this machine uses addresses of the submission's network ${subnet} itself`);
  }

  async volume(name: string, value: Mapping): Promise<Mapping> {
    const key = ["volumes", name];
    const isPlain =
      !value.external &&
      listOf(value.driver_opts).length === 0 &&
      [undefined, null, "", "local"].includes(value.driver as string);
    if (!isPlain) this.source.refuse(key, value, WHY.volume);
    return {};
  }

  /** A secret or a configuration: a file of the folder, or a text. */
  async file(section: string, name: string, value: Mapping): Promise<Mapping> {
    const key = [section, name];
    if (value.external) this.source.refuse(key, value, WHY.secret);
    const { name: _, external: __, file, ...rest } = value;
    const picked = this.pick(key, rest, ["content", "environment"]);
    if (file === undefined) return picked;
    return { ...picked, file: await this.path([...key, "file"], file) };
  }

  /** A copy of something in the folder; refused if it is outside. */
  async path(key: readonly string[], value: unknown): Promise<string | undefined> {
    const real = typeof value === "string" ? this.source.locate(value) : undefined;
    if (real !== undefined && ++this.#binds <= MAX_BINDS) return this.bind(real);
    if (real !== undefined) return void this.source.refuse(key, value, WHY.limit);
    const isSocket = typeof value === "string" && basename(value) === "docker.sock";
    this.source.refuse(key, value, isSocket ? WHY.socket : WHY.outside);
    return undefined;
  }

  async service(name: string, value: Mapping): Promise<Mapping> {
    const key = ["services", name];
    const service = this.pick(key, value, [...KNOWN_KEYS]);
    // Resolved by Compose; or the grader's affair.
    for (const gone of ["env_file", "extends", "profiles", "pull_policy", "volumes_from", "ipc"]) delete service[gone];
    this.checkNamespaces(key, value);
    if (service.build !== undefined) service.build = await this.build([...key, "build"], service.build);
    if (service.volumes !== undefined)
      service.volumes = await this.mounts([...key, "volumes"], listOf(service.volumes));
    if (service.security_opt !== undefined)
      service.security_opt = this.securityOptions(key, listOf(service.security_opt));
    if (service.deploy !== undefined) service.deploy = restartPolicy(service.deploy);
    if (service.labels !== undefined) service.labels = labels(service.labels);
    if (isMapping(service.networks)) service.networks = this.endpoints([...key, "networks"], service.networks);
    if (isMapping(service.healthcheck)) service.healthcheck = slowed(service.healthcheck);
    return { ...service, ...this.bounds(service) };
  }

  endpoints(key: readonly string[], networks: Mapping): Mapping {
    const known = ["aliases", "ipv4_address", "ipv6_address", "priority"];
    const entries = Object.entries(networks).map(([name, settings]) => [
      name,
      isMapping(settings) ? this.pick([...key, name], settings, known) : null,
    ]);
    return Object.fromEntries(entries);
  }

  checkNamespaces(key: readonly string[], { network_mode, ipc, volumes_from }: Mapping) {
    // Any other value is the name of a network of this machine. Rules judge `host`; it is not started.
    if (!/^(|bridge|default|none|host|service:.*)$/.test(String(network_mode ?? "")))
      this.source.refuse([...key, "network_mode"], network_mode, WHY.namespace);
    if (/^(host$|container:)/.test(String(ipc ?? ""))) this.source.refuse([...key, "ipc"], ipc, WHY.namespace);
    for (const from of listOf(volumes_from))
      if (String(from).startsWith("container:")) this.source.refuse([...key, "volumes_from"], from, WHY.container);
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
    const picked = this.pick(key, rest, [...KNOWN_BUILD_KEYS]);
    if (dockerfile === undefined || picked.dockerfile_inline !== undefined) return { ...picked, context: real };
    const file = this.source.locate(resolve(real, String(dockerfile)));
    if (file === undefined) this.source.refuse([...key, "dockerfile"], dockerfile, WHY.outside);
    return { ...picked, context: real, ...(file === undefined ? {} : { dockerfile: relative(real, file) }) };
  }

  async mounts(key: readonly string[], items: readonly unknown[]): Promise<unknown[]> {
    const mounts: unknown[] = [];
    for (const item of items) mounts.push(await this.mount(key, isMapping(item) ? item : longForm(String(item))));
    return mounts;
  }

  async mount(key: readonly string[], { type, source, target, read_only, tmpfs }: Mapping): Promise<Mapping> {
    if (type === "tmpfs")
      return { type, target, ...(isMapping(tmpfs) ? { tmpfs: this.pick(key, tmpfs, ["size", "mode"]) } : {}) };
    // Compose 1 takes a path here as well.
    if (type === "volume" && source != null && !this.volumes.includes(String(source)))
      this.source.refuse(key, { type, source, target }, WHY.volume);
    if (type === "volume")
      return { type, ...(source == null ? {} : { source }), target, read_only: read_only === true };
    if (type !== "bind") this.source.refuse(key, { type, source, target }, WHY.volume);
    return { type: "bind", source: await this.path(key, source), target, read_only: read_only === true };
  }

  securityOptions(key: readonly string[], options: readonly unknown[]): unknown[] {
    for (const option of options)
      if (!/^no-new-privileges([:=]true)?$/.test(String(option)))
        this.source.refuse([...key, "security_opt"], option, WHY.confinement);
    return [...options];
  }
}

/** Of `deploy` only the restart policy: one container of each service, within the grader's bounds. */
const restartPolicy = (deploy: unknown): Mapping =>
  isMapping(deploy) && deploy.restart_policy !== undefined ? { restart_policy: deploy.restart_policy } : {};

/** A mount in its short form: an anonymous volume, or source, target and options. */
function longForm(mount: string): Mapping {
  const [source = "", target, options = ""] = mount.split(":");
  if (target === undefined) return { type: "volume", target: source };
  const isPath = /^[./~]/.test(source);
  return { type: isPath ? "bind" : "volume", source, target, read_only: options.split(",").includes("ro") };
}

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
