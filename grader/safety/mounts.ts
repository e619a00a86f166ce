import { basename } from "node:path";
import type { ComposeSource } from "./compose-source.ts";
import { isMapping, listOf, type Mapping } from "./compose-text.ts";
import { WHY } from "./refusal.ts";

/** Each is a copy of its own. */
const MAX_BINDS = 10;

/** Gives a service something of the submission's folder: a copy of its own. */
export type Bind = (path: string) => Promise<string>;

/** What is allowed of a configuration's volumes, secrets and configurations, and of what services mount. */
export class Mounts {
  #binds = 0;
  readonly #volumes = new Set<string>();
  /** Variables of the submission that Compose needs where it runs, under names that steer nothing. */
  readonly values: Record<string, string> = {};

  constructor(
    readonly source: ComposeSource,
    readonly bind: Bind,
  ) {}

  async defineVolume(name: string, value: Mapping): Promise<Mapping> {
    const { external, driver, driver_opts } = value;
    // A volume in memory needs nothing of the machine; a plain one serves as well.
    const isInMemory = isMapping(driver_opts) && driver_opts.type === "tmpfs" && driver_opts.device === "tmpfs";
    if (isInMemory) this.source.dropped.add(`volumes.${name}.driver_opts`);
    const hasOptions = listOf(driver_opts).length > 0 && !isInMemory;
    if (external || hasOptions || ![undefined, null, "", "local"].includes(driver as string))
      this.source.refuse(["volumes", name], value, WHY.volume);
    this.#volumes.add(name);
    return {};
  }

  /** A secret or a configuration: a file of the folder, or a text. */
  async defineFile(section: string, name: string, value: Mapping): Promise<Mapping> {
    const key = [section, name];
    if (value.external) this.source.refuse(key, value, WHY.secret);
    const { name: _, external: __, file, environment, ...rest } = value;
    const picked = this.source.pick(key, rest, ["content"]);
    if (typeof environment === "string") picked.environment = this.#rename(environment);
    if (file === undefined) return picked;
    return { ...picked, file: await this.#copy([...key, "file"], file) };
  }

  #rename(variable: string): string {
    const text = this.source.variables[variable];
    // Compose says that it is missing.
    if (typeof text !== "string") return variable;
    const name = `GRADER_VALUE_${Object.keys(this.values).length}`;
    this.values[name] = text;
    return name;
  }

  /** A copy of something in the folder; refused if it is outside. */
  async #copy(key: readonly string[], value: unknown): Promise<string | undefined> {
    const real = typeof value === "string" ? this.source.locate(value) : undefined;
    if (real !== undefined && ++this.#binds <= MAX_BINDS) return this.bind(real);
    if (real !== undefined) return void this.source.refuse(key, value, WHY.limit);
    const isSocket = typeof value === "string" && basename(value) === "docker.sock";
    this.source.refuse(key, value, isSocket ? WHY.socket : WHY.outside);
    return undefined;
  }

  async ofService(key: readonly string[], items: readonly unknown[]): Promise<unknown[]> {
    const mounts: unknown[] = [];
    for (const item of items) {
      const mount = isMapping(item) ? item : longForm(String(item));
      // The time zone of the student's machine; here the container keeps its own.
      if (mount.read_only === true && /^\/etc\/(localtime|timezone)$/.test(String(mount.source)))
        this.source.dropped.add([...key, String(mount.source)].join("."));
      else mounts.push(await this.#mount(key, mount));
    }
    return mounts;
  }

  async #mount(key: readonly string[], { type, source, target, read_only, tmpfs }: Mapping): Promise<Mapping> {
    if (type === "tmpfs")
      return { type, target, ...(isMapping(tmpfs) ? { tmpfs: this.source.pick(key, tmpfs, ["size", "mode"]) } : {}) };
    // Compose 1 takes a path here as well.
    if (type === "volume" && source != null && !this.#volumes.has(String(source)))
      this.source.refuse(key, { type, source, target }, WHY.volume);
    if (type === "volume")
      return { type, ...(source == null ? {} : { source }), target, read_only: read_only === true };
    if (type !== "bind") this.source.refuse(key, { type, source, target }, WHY.volume);
    return { type: "bind", source: await this.#copy(key, source), target, read_only: read_only === true };
  }
}

/** A mount in its short form: an anonymous volume, or source, target and options. */
function longForm(mount: string): Mapping {
  const [source = "", target, options = ""] = mount.split(":");
  if (target === undefined) return { type: "volume", target: source };
  const isPath = /^[./~]/.test(source);
  return { type: isPath ? "bind" : "volume", source, target, read_only: options.split(",").includes("ro") };
}
