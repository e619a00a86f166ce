import { readdirSync, readFileSync } from "node:fs";

/** A process that ends while one reads counts nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The fields of /proc/<pid>/stat after the name, which may hold spaces; `state` is the first (proc(5)). */
const stat = (pid: number): string[] =>
  read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");

/** The numbers of all processes of this machine. */
export const processes = (): number[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);

/** The name of a process, as ps(1) shows it. */
export const nameOf = (pid: number): string => read(`/proc/${pid}/comm`).trim();

/** A process and all that descend from it. */
export function family(pid: number): number[] {
  const all = processes().map((id) => ({ id, parent: Number(stat(id)[1]) }));
  const members = [pid];
  for (const member of members) members.push(...all.filter(({ parent }) => parent === member).map(({ id }) => id));
  return members;
}

/** Milliseconds of CPU that processes have used up to now, with those of the children that they waited for. */
export function cpuOf(pids: readonly number[]): number {
  const ticks = pids.flatMap((pid) => stat(pid).slice(11, 15).map(Number));
  // USER_HZ, 100 on every Linux.
  return ticks.reduce((sum, value) => sum + value, 0) * 10;
}

/** Memory of processes in MiB: what is resident, and what of it is no file's (shared pages in shares). */
export function memoryOf(pids: readonly number[]): { resident: number; private: number } {
  const sums = pids.map((pid) => read(`/proc/${pid}/smaps_rollup`));
  const mib = (field: string) =>
    sums.reduce((sum, text) => sum + Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? 0), 0) / 1024;
  return { resident: mib("Rss"), private: mib("Pss_Anon") };
}
