// What a submission's Compose files may make Compose read, before Compose sees them. Each file is parsed here, checked,
// and written again as JSON, so that no difference between two YAML parsers can hide anything.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Document, isNode, LineCounter, parseDocument, type ScalarTag, type Tags } from "yaml";
import { brief } from "../../host/command.ts";
import { insidePath, isInside, type LeftOut } from "./copy.ts";
import { forbidden, KNOWN_BUILD_KEYS, KNOWN_KEYS, TOP_LEVEL_KEYS } from "./keys.ts";
import { type Refusal, WHY } from "./refusal.ts";

/** A submission's Compose file cannot be read. */
export class InvalidCompose extends Error {}

/** Compose files that include and extend each other. */
const MAX_FILES = 20;
const MAX_FILE_BYTES = 1024 * 1024;

/** A number as the modes of files are written, `01777`: Compose reads it as YAML 1.1 does. */
const OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^0[0-7]+$/,
  resolve: (digits) => Number.parseInt(digits, 8),
};
const YAML_OPTIONS = { merge: true, customTags: (tags: Tags): Tags => [OCTAL, ...tags], logLevel: "error" } as const;

export type Mapping = Record<string, unknown>;
export const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value == null ? [] : [value]);

/** @throws {InvalidCompose} if the value contains itself, through an alias */
function jsonOf(file: string, value: Mapping): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new InvalidCompose(`${file}: ${(error as Error).message}`);
  }
}

/** The copy of a submission, and what was found in its Compose files. */
export class ComposeSource {
  readonly refusals: Refusal[] = [];
  /** Keys that were left out, as `services.x.sysctls`. */
  readonly dropped = new Set<string>();
  readonly #documents = new Map<string, { document: Document; lines: LineCounter }>();

  constructor(
    /** The copied folder; a real path. */
    readonly folder: string,
    readonly leftOut: ReadonlyMap<string, LeftOut>,
  ) {}

  /**
   * Reads a Compose file and those that it includes and extends, and writes each again with known keys only.
   *
   * @param file its path in the folder
   * @throws {InvalidCompose} if one of them is no valid YAML, or no mapping
   */
  async read(file: string): Promise<void> {
    if (this.#documents.has(file)) return;
    if (this.#documents.size >= MAX_FILES) throw new InvalidCompose(`more than ${MAX_FILES} Compose files`);
    const content = this.#parse(file);
    // In Compose's first format, which Compose 1 still reads, services are at the top.
    const isFirstFormat = ["version", "services", "include"].every((key) => !(key in content));
    for (const key of Object.keys(content)) {
      if (isFirstFormat || TOP_LEVEL_KEYS.has(key)) continue;
      delete content[key];
      if (!key.startsWith("x-")) this.dropped.add(key);
    }
    if (content.include !== undefined) content.include = await this.#includes(file, content.include);
    const services = isFirstFormat ? content : content.services;
    for (const [name, service] of Object.entries(isMapping(services) ? services : {}))
      if (isMapping(service)) await this.#readService(file, name, service);
    writeFileSync(join(this.folder, file), jsonOf(file, content));
  }

  #parse(file: string): Mapping {
    const lines = new LineCounter();
    let value: unknown;
    try {
      const source = readFileSync(join(this.folder, file));
      if (source.length > MAX_FILE_BYTES) throw new Error(`larger than ${MAX_FILE_BYTES} bytes`);
      // A byte order mark, which editors on Windows write, is no part of the document.
      const document = parseDocument(source.toString().replace(/^\ufeff/, ""), { lineCounter: lines, ...YAML_OPTIONS });
      const [error] = document.errors;
      if (error !== undefined) throw error;
      this.#documents.set(file, { document, lines });
      value = document.toJS();
    } catch (error) {
      throw new InvalidCompose(`${file}: ${(error as Error).message}`);
    }
    if (!isMapping(value)) throw new InvalidCompose(`${file}: not a mapping`);
    return value;
  }

  async #readService(file: string, name: string, service: Mapping): Promise<void> {
    this.#keepKnown(file, ["services", name], service, KNOWN_KEYS);
    if (isMapping(service.build)) {
      const { secrets } = service.build;
      // A service may have secrets of its own folder, a build none.
      if (secrets !== undefined) this.refuse(["services", name, "build", "secrets"], secrets, WHY.secret, file);
      this.#keepKnown(file, ["services", name, "build"], service.build, KNOWN_BUILD_KEYS);
    }
    const { extends: extended, env_file } = service;
    if (isMapping(extended) && extended.file !== undefined) {
      const path = await this.#localFile(file, ["services", name, "extends"], extended.file);
      if (path === undefined) delete service.extends;
      else await this.read(path);
    }
    if (env_file !== undefined) service.env_file = await this.#envFiles(file, name, env_file);
  }

  #keepKnown(file: string, path: readonly string[], mapping: Mapping, known: ReadonlySet<string>): void {
    for (const key of Object.keys(mapping)) {
      if (known.has(key)) continue;
      const why = forbidden(key, mapping[key]);
      if (why !== undefined) this.refuse([...path, key], mapping[key], why, file);
      else if (!key.startsWith("x-")) this.dropped.add([...path, key].join("."));
      delete mapping[key];
    }
  }

  /** The known keys of a mapping; the others are dropped. */
  pick(key: readonly string[], value: Mapping, known: readonly string[]): Mapping {
    const picked: Mapping = {};
    for (const [name, item] of Object.entries(value)) {
      if (known.includes(name)) picked[name] = item;
      else if (item !== null) this.dropped.add([...key, name].join("."));
    }
    return picked;
  }

  async #envFiles(file: string, name: string, value: unknown): Promise<unknown[]> {
    const kept: unknown[] = [];
    for (const item of listOf(value)) {
      const path = isMapping(item) ? item.path : item;
      if ((await this.#localFile(file, ["services", name, "env_file"], path)) !== undefined) kept.push(item);
    }
    return kept;
  }

  async #includes(file: string, value: unknown): Promise<unknown[]> {
    const kept: unknown[] = [];
    for (const item of listOf(value)) {
      const paths = isMapping(item) ? item.path : item;
      for (const given of listOf(paths)) {
        const path = await this.#localFile(file, ["include"], given);
        if (path === undefined) continue;
        await this.read(path);
        kept.push(given);
      }
      if (isMapping(item) && Object.keys(item).length > 1) this.dropped.add("include");
    }
    return kept;
  }

  /**
   * The path in the folder of a file that a Compose file names.
   *
   * @returns `undefined` if it is not to be read: it was refused, or depends on variables
   */
  async #localFile(from: string, key: string[], value: unknown): Promise<string | undefined> {
    if (typeof value !== "string" || value.includes("$")) {
      this.dropped.add(key.join("."));
      return undefined;
    }
    const path = value.startsWith("/") || value.startsWith("~") ? value : join(this.folder, dirname(from), value);
    const real = this.locate(path);
    if (real === undefined) this.refuse(key, value, WHY.outside, from);
    return real === undefined ? undefined : relative(this.folder, real);
  }

  /** The real path of something in the folder, which need not exist; `undefined` if it is outside. */
  locate(path: string): string | undefined {
    // Docker reads these as addresses, and ~ as the home.
    if (!path.startsWith("/")) return undefined;
    const isBehindLink = [...this.leftOut].some(
      ([entry, why]) => why === "outside" && isInside(join(this.folder, entry), path),
    );
    return isBehindLink ? undefined : insidePath(this.folder, path);
  }

  refuse(key: readonly string[], value: unknown, why: Refusal["why"], file = this.mainFile): void {
    const shown = brief(typeof value === "string" ? value : JSON.stringify(value));
    this.refusals.push({ place: this.#placeOf(file, key), what: `${brief(key.join("."))}: ${shown}`, why });
  }

  /** The file that was read first. */
  get mainFile(): string {
    return [...this.#documents.keys()][0] ?? "";
  }

  /** The file and line of a key, or of what contains it. */
  #placeOf(file: string, key: readonly string[]): string {
    const read = this.#documents.get(file);
    for (let length = key.length; read !== undefined && length > 0; length--) {
      const node = read.document.getIn(key.slice(0, length), true);
      if (isNode(node) && node.range) return `${file}:${read.lines.linePos(node.range[0]).line}`;
    }
    return file;
  }
}
