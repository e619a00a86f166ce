// What a submission's Compose files may make Compose read, before Compose sees them. Each file is parsed here, checked,
// and written again as JSON, so that no difference between two YAML parsers can hide anything.

import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { brief } from "../../host/command.ts";
import { ComposeText, InvalidCompose, isMapping, listOf, type Mapping } from "./compose-text.ts";
import { insidePath, isInside, type LeftOut } from "./copy.ts";
import { forbidden, KNOWN_BUILD_KEYS, KNOWN_KEYS, TOP_LEVEL_KEYS } from "./keys.ts";
import { type Refusal, WHY } from "./refusal.ts";

/** Compose files that include and extend each other. */
const MAX_FILES = 10;
/** What parses them takes quadratic time. */
const MAX_FILE_BYTES = 64 * 1024;
/** With what aliases stand for. */
const MAX_WRITTEN_CHARACTERS = 1024 * 1024;

/** The copy of a submission, and what was found in its Compose files. */
export class ComposeSource {
  readonly refusals: Refusal[] = [];
  /** Keys that were left out, as `services.x.sysctls`. */
  readonly dropped = new Set<string>();
  readonly #texts = new Map<string, ComposeText>();
  /** By file, the folder in which Compose looks for what it names: as it is written, through links and all. */
  readonly #bases = new Map<string, string>();

  constructor(
    /** The copied folder; a real path. */
    readonly folder: string,
    readonly leftOut: ReadonlyMap<string, LeftOut>,
    /** What the submission's `.env` sets. */
    readonly variables: Readonly<Record<string, string | undefined>> = {},
  ) {}

  /**
   * Reads a Compose file and those that it includes and extends, and writes each again with known keys only.
   *
   * @param file its path in the folder, as Compose finds it
   * @param base the folder in which Compose looks for what it names, in the folder
   * @throws {InvalidCompose} if one of them is no valid YAML, or no mapping
   */
  async read(file: string, base: string): Promise<void> {
    const known = this.#bases.get(file);
    if (known !== undefined && known !== base) throw new InvalidCompose(`${file}: read from ${known} and from ${base}`);
    if (known !== undefined) return;
    if (this.#bases.size >= MAX_FILES) throw new InvalidCompose(`more than ${MAX_FILES} Compose files`);
    this.#bases.set(file, base);
    const text = new ComposeText(file, this.#textOf(file));
    this.#texts.set(file, text);
    const { content } = text;
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
    const written = text.toString();
    if (written.length > MAX_WRITTEN_CHARACTERS) throw new InvalidCompose(`${file}: too large with its aliases`);
    writeFileSync(join(this.folder, file), written);
  }

  #textOf(file: string): string {
    try {
      const source = readFileSync(join(this.folder, file));
      if (source.length <= MAX_FILE_BYTES) return source.toString();
    } catch (error) {
      throw new InvalidCompose(`${file}: ${(error as Error).message}`);
    }
    throw new InvalidCompose(`${file}: larger than ${MAX_FILE_BYTES} bytes`);
  }

  async #readService(file: string, name: string, service: Mapping): Promise<void> {
    this.#keepKnown(file, ["services", name], service, KNOWN_KEYS);
    if (isMapping(service.build)) {
      this.#keepKnown(file, ["services", name, "build"], service.build, KNOWN_BUILD_KEYS);
    }
    const { extends: extended, env_file } = service;
    if (isMapping(extended) && extended.file !== undefined) {
      const path = this.#localFile(file, ["services", name, "extends"], extended.file);
      if (path === undefined) delete service.extends;
      else {
        extended.file = path.given;
        await this.read(path.file, dirname(path.file));
      }
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
      const path = this.#localFile(file, ["services", name, "env_file"], isMapping(item) ? item.path : item);
      if (path !== undefined) kept.push(isMapping(item) ? { ...item, path: path.given } : path.given);
    }
    return kept;
  }

  async #includes(file: string, value: unknown): Promise<unknown[]> {
    const kept: unknown[] = [];
    for (const item of listOf(value)) {
      const { path, project_directory, env_file, ...others }: Mapping = isMapping(item) ? item : { path: item };
      for (const key of Object.keys(others)) this.dropped.add(`include.${key}`);
      const local = (given: unknown) => listOf(given).flatMap((one) => this.#localFile(file, ["include"], one) ?? []);
      const [files, folders, variables] = [local(path), local(project_directory), local(env_file)];
      const base = folders[0]?.file ?? dirname(files[0]?.file ?? "");
      for (const found of files) await this.read(found.file, base);
      if (files.length === 0) continue;
      const given = (found: typeof files) => found.map((one) => one.given);
      const { 0: directory } = given(folders);
      kept.push({
        path: given(files),
        ...(directory === undefined ? {} : { project_directory: directory }),
        ...(variables.length === 0 ? {} : { env_file: given(variables) }),
      });
    }
    return kept;
  }

  /**
   * A file or folder of the submission that a Compose file names.
   *
   * @returns its path in the folder, and as it is given, with variables filled in; `undefined` if it is not to be read: it
   *   was refused, or depends on variables that the submission does not set
   */
  #localFile(from: string, key: string[], value: unknown): { file: string; given: string } | undefined {
    const given = typeof value === "string" ? interpolated(value, this.variables) : undefined;
    if (given === undefined) {
      this.dropped.add(key.join("."));
      return undefined;
    }
    const base = join(this.folder, this.#bases.get(from) ?? "");
    const isWhole = given.startsWith("/") || given.startsWith("~");
    const path = isWhole ? given : join(base, given);
    // `..` behind a link leads elsewhere for who resolves the link first: it must stay inside for both.
    const throughLinks = isWhole || !existsSync(base) ? path : join(realpathSync(base), given);
    if (this.locate(path) !== undefined && this.locate(throughLinks) !== undefined)
      return { file: relative(this.folder, path), given };
    this.refuse(key, given, WHY.outside, from);
    return undefined;
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
    return [...this.#texts.keys()][0] ?? "";
  }

  /** The file and line of a key, or of what contains it. */
  #placeOf(file: string, key: readonly string[]): string {
    const line = this.#texts.get(file)?.lineOf(key);
    return line === undefined ? file : `${file}:${line}`;
  }
}

/** A text with `$name`, `${name}`, `${name-default}` and `${name:-default}` replaced; `undefined` if that is not possible. */
function interpolated(text: string, variables: ComposeSource["variables"]): string | undefined {
  const filled = text.replace(
    /\$(?:(\w+)|\{(\w+)(?:(:?-)([^}]*))?\})/g,
    (whole, plain, braced, operator, otherwise: string | undefined) => {
      const found = variables[plain ?? braced];
      return (operator === ":-" ? found || otherwise : (found ?? otherwise)) ?? whole;
    },
  );
  return filled.includes("$") ? undefined : filled;
}
