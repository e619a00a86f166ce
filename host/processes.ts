import { readdirSync, readFileSync } from "node:fs";

/** The text of a file; empty if its process has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The fields of /proc/<pid>/stat after the name, which may contain spaces; `state` is the first (proc(5)). */
const stat = (pid: number): string[] =>
  read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");

/** The ids of all processes on this machine. */
export const processIds = (): number[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);

/** The name of a process, as ps(1) shows it. */
export const processName = (pid: number): string => read(`/proc/${pid}/comm`).trim();

/** A process and all its descendants. */
export function processTree(pid: number): number[] {
  const all = processIds().map((id) => ({ id, parent: Number(stat(id)[1]) }));
  const tree = [pid];
  for (const member of tree) tree.push(...all.filter(({ parent }) => parent === member).map(({ id }) => id));
  return tree;
}

/** CPU time in ms that processes have used so far, including children that they have waited for. */
export function cpuTimeMs(pids: readonly number[]): number {
  const ticks = pids.flatMap((pid) => stat(pid).slice(11, 15).map(Number));
  // USER_HZ, 100 on every Linux.
  return ticks.reduce((sum, value) => sum + value, 0) * 10;
}

/** Memory of processes in MiB: resident, and its private anonymous part (shared pages count proportionally). */
export function memoryMib(pids: readonly number[]): { resident: number; private: number } {
  const rollups = pids.map((pid) => read(`/proc/${pid}/smaps_rollup`));
  const mib = (field: string) =>
    rollups.reduce((sum, text) => sum + Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? 0), 0) /
    1024;
  return { resident: mib("Rss"), private: mib("Pss_Anon") };
}
