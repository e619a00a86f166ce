import { type Stats, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { attempt } from "../attempt.ts";
import { Ungradable } from "../errors.ts";
import type { Student } from "../graded.ts";
import { printable } from "../text.ts";
import { isArchive, withoutExtension } from "./archive.ts";
import { cloned, unpacked } from "./bring.ts";
import { parseGitAddress, withoutPassword } from "./git-address.ts";
import { rootOf } from "./root.ts";
import { Ids } from "./student-id.ts";

/** A submission that is to be brought here. */
export interface Source {
  readonly student: Student;
  /** As it is shown: the path or address. */
  readonly origin: string;
  /**
   * Brings the submission into a folder.
   *
   * @param work an existing, empty folder for it
   * @returns the folder that holds it, which may be a folder of the teacher's, outside of `work`
   * @throws {Ungradable} if it cannot be brought
   */
  open(work: string, signal?: AbortSignal): Promise<string>;
}

/** What the command line names: folders, archives and addresses of git repositories. Nothing is opened yet. */
export async function sourcesOf(args: readonly string[]): Promise<Source[]> {
  const ids = new Ids();
  return args.map((arg) => {
    const name = printable(withoutPassword(arg));
    const student = { id: ids.next(lastNameOf(arg)), name };
    return { student, origin: name, open: (work, signal) => openNamed(arg, name, work, signal) };
  });
}

async function openNamed(arg: string, name: string, work: string, signal: AbortSignal | undefined): Promise<string> {
  const stats = statsOf(arg);
  const address = stats === undefined ? parseGitAddress(arg) : undefined;
  if (address !== undefined) return cloned(address, name, work, signal);
  if (stats?.isFile()) return unpacked(arg, name, work, signal);
  if (stats?.isDirectory()) return rootOf(arg, work, signal);
  if (/^[\w+.-]+:(\/\/|:)/.test(arg)) throw new Ungradable(`${name}: is not the address of a git repository`);
  throw new Ungradable(`${name}: no such ${isArchive(arg) ? "file" : "folder"}`);
}

/** The last part of a path or address, without what tells its format. */
function lastNameOf(arg: string): string {
  const address = statsOf(arg) === undefined ? parseGitAddress(arg) : undefined;
  if (address !== undefined) return (address.url.split(/[/:]/).at(-1) ?? "").replace(/\.git$/, "");
  const name = basename(resolve(arg));
  return statsOf(arg)?.isDirectory() ? name : withoutExtension(name);
}

const statsOf = (path: string): Stats | undefined => attempt(() => statSync(path));
