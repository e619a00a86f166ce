// What the helper container prints about the processes of a service. They belong to the submission and may try to
// deceive: names in particular are any bytes.

/** A process of a container. */
export interface ContainerProcess {
  /** Its id in the container. */
  readonly id: number;
  /** Its name, in printable ASCII: other bytes have become question marks. */
  readonly name: string;
}

/** A TCP socket of a container that listens. */
export interface ListeningSocket {
  readonly port: number;
  /** The processes that have it open; none if they could not be seen. */
  readonly holders: readonly ContainerProcess[];
}

/** The processes of a container, as far as they listen. */
export interface ProcessView {
  readonly pid1: ContainerProcess;
  /** Without those of Docker's DNS server. */
  readonly sockets: readonly ListeningSocket[];
}

/** More lines of one kind are not printed. Those of process 1 come first. */
const MAX_LINES = 10_000;

/**
 * The shell command that prints a view. Kinds of lines: those of /proc/net/tcp in state 0A, which is LISTEN;
 * `socket <inode> /proc/<id>/fd/<number>`; `name <id> <name>`; and at last `end`. `read` ends a name at a line break.
 */
export const VIEW_SCRIPT = `
exec 2>/dev/null
busybox=/bin/busybox
bound="$busybox head -n ${MAX_LINES}"
$busybox grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 | $bound
$busybox find -L /proc/[0-9]*/fd -maxdepth 1 -type s -exec $busybox stat -L -c 'socket %i %n' {} + | $bound
for process in /proc/[0-9]*; do
  read -r name <$process/comm && echo "name \${process#/proc/} $name"
done | $bound
echo end`;

/** The lines of a view that match a pattern, as the pattern's groups. */
const match = (output: string, pattern: RegExp): string[][] =>
  output.split("\n").flatMap((line) => {
    const groups = pattern.exec(line)?.slice(1);
    return groups === undefined ? [] : [groups];
  });

/**
 * Reads what the script has printed.
 *
 * @returns `undefined` if the script did not come to its end
 */
export function parseView(output: string): ProcessView | undefined {
  if (!output.endsWith("\nend\n")) return undefined;
  const names = new Map(match(output, /^name (\d+) (.*)$/s).map(([id, name = ""]) => [Number(id), printable(name)]));
  const describe = (id: number): ContainerProcess => ({ id, name: names.get(id) ?? "?" });
  const holders = new Map<string, Set<number>>();
  for (const [inode = "", id] of match(output, /^socket (\d+) \/proc\/(\d+)\/fd\/\d+$/))
    holders.set(inode, (holders.get(inode) ?? new Set()).add(Number(id)));
  const sockets = match(output, /^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) /)
    // Docker's DNS server: 127.0.0.11, in the kernel's byte order.
    .filter(([address]) => address !== "0B00007F")
    .map(([, port = "", inode = ""]) => ({
      port: Number.parseInt(port, 16),
      holders: [...(holders.get(inode) ?? [])].map(describe),
    }));
  return { pid1: describe(1), sockets };
}

const printable = (name: string) => name.replace(/[^ -~]/g, "?");

/** The processes that listen on a port, or on any port if no socket has that one. */
export function listenersOn(port: number, { sockets }: ProcessView): ContainerProcess[] {
  const onPort = sockets.filter((socket) => socket.port === port);
  return (onPort.length > 0 ? onPort : sockets).flatMap(({ holders }) => holders);
}
