// Compose files as text: read with the YAML rules of Compose, and written again as JSON, but for Compose's own tags.

import { type Document, isNode, isScalar, LineCounter, parseDocument, type ScalarTag, type Tags, visit } from "yaml";

/** A submission's Compose file cannot be read. */
export class InvalidCompose extends Error {}

export type Mapping = Record<string, unknown>;
export const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value == null ? [] : [value]);

/** A number as the modes of files are written, `01777`: Compose reads it as YAML 1.1 does. */
const OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^0[0-7]+$/,
  resolve: (digits) => Number.parseInt(digits, 8),
};
const YAML_OPTIONS = { merge: true, customTags: (tags: Tags): Tags => [OCTAL, ...tags], logLevel: "error" } as const;

/** By these a file says that it replaces, or takes back, what an earlier one has. */
const MERGE_TAGS = ["!override", "!reset"];

const pathKey = (path: readonly (string | number)[]) => JSON.stringify(path);

/** A Compose file that has been read. */
export class ComposeText {
  readonly content: Mapping;
  readonly #document: Document;
  readonly #lines = new LineCounter();
  /** The tags for merging, by the path of the value. */
  readonly #tags = new Map<string, string>();

  /** @throws {InvalidCompose} if it is no valid YAML, or no mapping */
  constructor(
    readonly file: string,
    text: string,
  ) {
    try {
      // A byte order mark, which editors on Windows write, is no part of the document.
      this.#document = parseDocument(text.replace(/^\ufeff/, ""), { lineCounter: this.#lines, ...YAML_OPTIONS });
      const [error] = this.#document.errors;
      if (error !== undefined) throw error;
      this.content = this.#document.toJS();
    } catch (error) {
      throw this.#invalid((error as Error).message);
    }
    if (!isMapping(this.content)) throw this.#invalid("not a mapping");
    this.#collectTags();
  }

  /** The first line of a message: the others show the place, which the first one names. */
  #invalid(message: string): InvalidCompose {
    const reason = /multiple documents/.test(message) ? "several YAML documents; write one" : message.split("\n")[0];
    return new InvalidCompose(`${this.file}: ${reason?.replace(/:$/, "")}`);
  }

  #collectTags(): void {
    visit(this.#document, {
      Node: (_, node, ancestors) => {
        if (node.tag === undefined || !MERGE_TAGS.includes(node.tag)) return;
        const keys = ancestors.flatMap((ancestor) => {
          if (!("key" in ancestor)) return [];
          return isScalar(ancestor.key) ? [String(ancestor.key.value)] : [];
        });
        this.#tags.set(pathKey(keys), node.tag);
      },
    });
  }

  /** The line of a key, or of what contains it. */
  lineOf(key: readonly string[]): number | undefined {
    for (let length = key.length; length > 0; length--) {
      const node = this.#document.getIn(key.slice(0, length), true);
      if (isNode(node) && node.range) return this.#lines.linePos(node.range[0]).line;
    }
    return undefined;
  }

  /**
   * The content, as it is now.
   *
   * @throws {InvalidCompose} if it contains itself, through an alias
   */
  toString(): string {
    try {
      JSON.stringify(this.content);
    } catch (error) {
      throw this.#invalid((error as Error).message);
    }
    return this.#write(this.content, []);
  }

  #write(value: unknown, path: readonly string[]): string {
    const tag = this.#tags.get(pathKey(path));
    if (tag === "!reset") return `${tag} null`;
    const words = isMapping(value)
      ? `{${Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => `${JSON.stringify(key)}: ${this.#write(item, [...path, key])}`)
          .join(", ")}}`
      : JSON.stringify(value);
    return tag === undefined ? words : `${tag} ${words}`;
  }
}
