// The processes of a container, as /proc of this machine shows them (proc(5)).

import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface ContainerProcess {
  readonly pidInContainer: number;
  readonly name: string;
}

/** Reads from /proc; a process may end meanwhile, and one of another user may be unreadable. */
function tryRead<T>(read: () => T, fallback: T): T {
  try {
    return read();
  } catch {
    return fallback;
  }
}

/** Whether a container's processes are visible; they are not if its engine runs in a virtual machine. */
export const isVisible = (pid: number): boolean =>
  pid > 0 &&
  tryRead(() => readlinkSync(`/proc/${pid}/ns/pid`) !== readlinkSync("/proc/self/ns/pid"), false) &&
  tryRead(() => readdirSync(`/proc/${pid}/fd`).length >= 0, false);

/** The listening sockets in the network namespace of a process, without those of Docker's DNS server. */
function listeningSockets(pid: number): { port: number; inode: string }[] {
  return (
    ["tcp", "tcp6"]
      .flatMap((table) => tryRead(() => readFileSync(`/proc/${pid}/net/${table}`, "utf8"), "").split("\n"))
      .map((line) => line.trim().split(/\s+/))
      // 0A is LISTEN; 0B00007F is 127.0.0.11, in the kernel's byte order.
      .filter(([, address, , state]) => state === "0A" && !address?.startsWith("0B00007F"))
      .map((fields) => ({ port: Number.parseInt(fields[1]?.split(":")[1] ?? "", 16), inode: fields[9] ?? "" }))
  );
}

/** The listening ports in the network namespace of a process. */
export const listeningPorts = (pid: number): number[] => [...new Set(listeningSockets(pid).map(({ port }) => port))];

function describe(pid: number): ContainerProcess {
  const status = tryRead(() => readFileSync(`/proc/${pid}/status`, "utf8"), "");
  return {
    pidInContainer: Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]),
    name: /^Name:\t(.*)$/m.exec(status)?.[1] ?? "?",
  };
}

/**
 * The processes of a container that listen on a port, or on any port if none listens on that one.
 *
 * @param pid the container's process 1, by its number on this machine
 */
export function findListeners(pid: number, port: number): { pid1: ContainerProcess; listeners: ContainerProcess[] } {
  const namespace = readlinkSync(`/proc/${pid}/ns/pid`);
  const all = listeningSockets(pid);
  const onPort = all.filter((socket) => socket.port === port);
  const links = (onPort.length > 0 ? onPort : all).map(({ inode }) => `socket:[${inode}]`);
  const isOpenIn = (id: number) =>
    tryRead(() => readdirSync(`/proc/${id}/fd`), []).some((fd) =>
      links.includes(tryRead(() => readlinkSync(`/proc/${id}/fd/${fd}`), "")),
    );
  const listeners = readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((id) => tryRead(() => readlinkSync(`/proc/${id}/ns/pid`), "") === namespace)
    .filter(isOpenIn);
  return { pid1: describe(pid), listeners: listeners.map(describe) };
}
