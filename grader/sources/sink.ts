import {
  chmodSync,
  closeSync,
  fchmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { attempt } from "../attempt.ts";
import { LIMITS } from "../safety/copy.ts";
import { Tally } from "./tally.ts";

/**
 * Where all of an archive is written, whatever its format. It writes into a new folder only: no path leads out, and
 * links are made when everything else is there, so that nothing is written through one.
 *
 * Where two entries have one name, the last one wins; but a folder stays, since its files came under names of their own.
 */
export class Sink {
  readonly #made = new Set<string>();
  readonly #links = new Map<string, string>();
  readonly #umask = process.umask();
  readonly tally: Tally;

  /** @param to the new folder; the one above exists */
  constructor(
    readonly to: string,
    limits = LIMITS,
  ) {
    this.tally = new Tally(limits);
    mkdirSync(to, { mode: 0o700 });
    this.#made.add("");
  }

  /** @param mode the permissions; the owner may always enter, read and write */
  folder(name: string, mode = 0o755): void {
    const path = this.tally.pathOf(name);
    if (this.#made.has(path)) this.tally.addEntry();
    else this.#makeFolder(path);
    chmodSync(join(this.to, path), (mode & 0o777) | 0o700);
  }

  /**
   * Opens a file to be written.
   *
   * @param mode the permissions; the owner may always read
   * @returns `undefined` if there is a folder of this name
   */
  file(name: string, mode: number): SinkFile | undefined {
    const path = this.tally.pathOf(name);
    this.tally.addEntry();
    this.#makeFolder(parentOf(path));
    this.#links.delete(path);
    const permissions = (mode & 0o777) | 0o400;
    const file = this.#create(path, permissions);
    if (file === undefined) return undefined;
    const { tally } = this;
    const isMasked = (permissions & this.#umask) !== 0;
    return {
      write(chunk) {
        tally.addBytes(chunk.length);
        for (let written = 0; written < chunk.length; ) written += writeSync(file, chunk, written);
      },
      close() {
        if (isMasked) fchmodSync(file, permissions);
        closeSync(file);
      },
    };
  }

  /** Notes a link, which may lead anywhere: whoever reads the folder must not follow it out. */
  link(name: string, target: string): void {
    const path = this.tally.pathOf(name);
    this.tally.addEntry();
    this.#makeFolder(parentOf(path));
    if (target !== "" && this.#clear(path)) this.#links.set(path, target);
  }

  /** Gives a file of the archive that is already here a second name; another one is left out. */
  hardLink(name: string, target: string): void {
    const path = this.tally.pathOf(name);
    this.tally.addEntry();
    this.#makeFolder(parentOf(path));
    const original = attempt(() => this.tally.pathOf(target));
    if (original === undefined || original === path || !isFile(join(this.to, original))) return;
    // No link is on the way to it yet.
    if (this.#clear(path)) attempt(() => linkSync(join(this.to, original), join(this.to, path)));
  }

  /** Counts an entry that is left out: a device, a pipe. */
  leaveOut(name: string): void {
    this.tally.pathOf(name);
    this.tally.addEntry();
  }

  /** Makes the links. To be called once, after all else. */
  finish(): void {
    // Their folders exist, and none replaces a folder; one that cannot be made is of a name that exists in another case.
    for (const [path, target] of this.#links) attempt(() => symlinkSync(target, join(this.to, path)));
  }

  #create(path: string, mode: number): number | undefined {
    // `wx` neither opens what is there nor follows a link.
    const open = () => openSync(join(this.to, path), "wx", mode);
    if (path === "" || this.#made.has(path)) return undefined;
    try {
      return open();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return this.#clear(path) ? open() : undefined;
    }
  }

  #makeFolder(path: string): void {
    if (this.#made.has(path)) return;
    this.tally.addEntry();
    this.#makeFolder(parentOf(path));
    this.#links.delete(path);
    const full = join(this.to, path);
    if (!isFolder(full)) {
      rmSync(full, { force: true });
      mkdirSync(full, { mode: 0o755 });
    }
    this.#made.add(path);
  }

  /** Removes what an earlier entry of this name left, unless it is a folder. Returns whether the place is free. */
  #clear(path: string): boolean {
    if (path === "" || this.#made.has(path)) return false;
    this.#links.delete(path);
    const full = join(this.to, path);
    const there = lstatSync(full, { throwIfNoEntry: false });
    if (there?.isDirectory()) return false;
    if (there !== undefined) unlinkSync(full);
    return true;
  }
}

/** A file that is being written. */
export interface SinkFile {
  write(chunk: Uint8Array): void;
  /** Gives it its permissions. */
  close(): void;
}

const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
const parentOf = (path: string): string => (path.includes("/") ? dirname(path) : "");
