import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process of this machine that stands in a container. */
export interface Process {
  readonly pid: number;
  /** Its number inside of the container. */
  readonly inside: number;
  readonly name: string;
}

/** Processes and their files may go away while one looks; those of others may not be looked at. */
function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Whether the processes of a container can be seen from here: not where its engine runs in a machine of its own. */
export const isVisible = (pid: number): boolean =>
  pid > 0 &&
  attempt(() => readlinkSync(`/proc/${pid}/ns/pid`) !== readlinkSync("/proc/self/ns/pid"), false) &&
  attempt(() => readdirSync(`/proc/${pid}/fd`).length >= 0, false);

/** The sockets that listen in the network of a process: their ports and inodes. Docker's own name server is left out. */
function listening(pid: number): { port: number; inode: string }[] {
  return (
    ["tcp", "tcp6"]
      .flatMap((table) => attempt(() => readFileSync(`/proc/${pid}/net/${table}`, "utf8"), "").split("\n"))
      .map((line) => line.trim().split(/\s+/))
      // 0A is LISTEN; 0B00007F is 127.0.0.11, in the kernel's byte order.
      .filter(([, address, , state]) => state === "0A" && !address?.startsWith("0B00007F"))
      .map((fields) => ({ port: Number.parseInt(fields[1]?.split(":")[1] ?? "", 16), inode: fields[9] ?? "" }))
  );
}

/** The ports that something listens on in the network of a process. */
export const listensOn = (pid: number): number[] => [...new Set(listening(pid).map(({ port }) => port))];

function describe(pid: number): Process {
  const status = attempt(() => readFileSync(`/proc/${pid}/status`, "utf8"), "");
  return {
    pid,
    inside: Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]),
    name: /^Name:\t(.*)$/m.exec(status)?.[1] ?? "?",
  };
}

/** Who holds a listening socket in the container whose first process is `pid`, and that first process. */
export function listeners(pid: number, port: number): { first: Process; holders: Process[] } {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
  const all = listening(pid);
  const sockets = (all.some((socket) => socket.port === port) ? all.filter((socket) => socket.port === port) : all).map(
    ({ inode }) => `socket:[${inode}]`,
  );
  const holders = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((id) => attempt(() => readlinkSync(`/proc/${id}/ns/pid`), "") === namespace)
    .filter((id) =>
      attempt(() => readdirSync(`/proc/${id}/fd`), []).some((fd) =>
        sockets.includes(attempt(() => readlinkSync(`/proc/${id}/fd/${fd}`), "")),
      ),
    );
  return { first: describe(pid), holders: holders.map(describe) };
}
