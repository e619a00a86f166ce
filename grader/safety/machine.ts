// What builds and containers take of the machine that the engine itself does not limit: disk, and in builds memory and
// processes (BuildKit accepts no limits of either).

import { readFileSync, statfsSync } from "node:fs";
import { dockerOrThrow } from "../../host/docker.ts";
import { attempt } from "../attempt.ts";
import { Ungradable } from "../errors.ts";
import { once } from "../once.ts";

/** What the machine has left. What cannot be read is not there: an engine in a virtual machine has a disk of its own. */
export interface Left {
  /** A part of all memory. */
  readonly memory?: number;
  /** All that run, threads included. */
  readonly processes?: number;
  /** Free bytes, by folder. */
  readonly disk: ReadonlyMap<string, number>;
}

const PERIOD_MS = 250;
const MIN_MEMORY = 0.05;
const MAX_PROCESSES = 4000;
const MAX_DISK_BYTES = 8 * 1024 ** 3;
/** Of what was free at the start. */
const MAX_DISK_PART = 0.9;

/** What of the machine a submission has used up; `undefined` if it has not. */
export function exceeded(before: Left, now: Left): string | undefined {
  const { memory = 1, processes = 0 } = now;
  if (memory < MIN_MEMORY) return `less than ${MIN_MEMORY * 100} % of the machine's memory was left`;
  const more = processes - (before.processes ?? processes);
  if (more > MAX_PROCESSES) return `${more} processes more than before were running`;
  for (const [folder, free] of before.disk) {
    const used = free - (now.disk.get(folder) ?? free);
    if (used > Math.min(MAX_DISK_BYTES, free * MAX_DISK_PART))
      return `${(used / 1024 ** 3).toFixed(1)} GiB of the disk with ${folder} were written`;
  }
  return undefined;
}

/** @param folders whose disks matter */
export function whatIsLeft(folders: readonly string[]): Left {
  const disk = new Map<string, number>();
  for (const folder of folders) {
    const free = attempt(() => statfsSync(folder));
    if (free !== undefined) disk.set(folder, free.bavail * free.bsize);
  }
  return { ...memoryAndProcesses(), disk };
}

/** From Linux's /proc (proc(5)). */
function memoryAndProcesses(): Pick<Left, "memory" | "processes"> {
  const info = attempt(() => readFileSync("/proc/meminfo", "utf8"));
  const load = attempt(() => readFileSync("/proc/loadavg", "utf8"));
  if (info === undefined || load === undefined) return {};
  const bytesOf = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, "m").exec(info)?.[1]);
  return { memory: bytesOf("MemAvailable") / bytesOf("MemTotal"), processes: Number(/\/(\d+)/.exec(load)?.[1]) };
}

/** Where the engine keeps images, containers and volumes. */
const folderOfEngine = once(() => dockerOrThrow("info", "--format", "{{.DockerRootDir}}"));

/**
 * Does something while it watches the machine, and the engine's disk.
 *
 * @param folder in which the grading writes
 * @throws {Ungradable} as soon as the machine runs short of something: whose doing that is cannot be told, so the
 *   submission is worth another try, when nothing else is graded
 */
export const watched = async <T>(folder: string, action: () => Promise<T>): Promise<T> =>
  watchedOn([await folderOfEngine(), folder], action);

/** The same, for the disks of some folders. */
export async function watchedOn<T>(folders: readonly string[], action: () => Promise<T>): Promise<T> {
  const before = whatIsLeft(folders);
  const { promise: shortage, reject } = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    const what = exceeded(before, whatIsLeft(folders));
    if (what !== undefined) reject(new Ungradable(`while it was graded, ${what}`, true));
  }, PERIOD_MS);
  try {
    return await Promise.race([action(), shortage]);
  } finally {
    clearInterval(timer);
  }
}
