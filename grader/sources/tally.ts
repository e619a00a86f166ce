import type { LIMITS } from "../safety/copy.ts";
import { Refused } from "./refused.ts";

/** How an archive names a limit that it exceeds. */
const EXCEEDED = {
  entries: (limit: number) => `it has more than ${limit.toLocaleString("en")} files and folders`,
  bytes: (limit: number) => `its files have more than ${(limit / 1024 ** 3).toLocaleString("en")} GiB`,
  depth: (limit: number) => `its folders are nested more than ${limit} levels deep`,
};

/** Counts what an archive has, and refuses what it must not have. */
export class Tally {
  #entries = 0;
  #bytes = 0;

  constructor(readonly limits: typeof LIMITS) {}

  /** @throws {Refused} if there are too many */
  addEntry(): void {
    this.#entries++;
    if (this.#entries > this.limits.entries) throw this.exceeded("entries");
  }

  /** @throws {Refused} if there are too many */
  addBytes(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.limits.bytes) throw this.exceeded("bytes");
  }

  /** The refusal that names a limit. */
  exceeded(limit: keyof typeof LIMITS): Refused {
    return new Refused(EXCEEDED[limit](this.limits[limit]));
  }

  /**
   * The path of an entry in the folder, without `.` and double slashes; empty for the folder itself.
   *
   * @throws {Refused} if it leads out of the folder, or is too deep in it
   */
  pathOf(name: string): string {
    const parts = name.split("/").filter((part) => part !== "" && part !== ".");
    // No tool makes such a name unless it is asked to. Without the entry the submission might be graded as another one.
    if (/^([a-z]:)?\//i.test(name) || name.includes("\0") || parts.includes("..")) {
      throw new Refused(`an entry of it would be written outside of its folder: ${JSON.stringify(name)}`);
    }
    if (parts.length - 1 > this.limits.depth) throw this.exceeded("depth");
    return parts.join("/");
  }
}
