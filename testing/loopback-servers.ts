// Servers on addresses of their own on loopback, programmed down to the bytes, behind a name whose look-up is programmed
// too.

import { createServer, type Server, type Socket } from "node:net";
import { freePort } from "../host/tcp.ts";

const respond = (status: number, fields = "") => `HTTP/1.1 ${status} X\r\ncontent-length: 1\r\n${fields}\r\n1`;

/** What a server does with a request. */
const BEHAVIORS = {
  answers: (socket: Socket) => socket.write(respond(200)),
  "answers and closes": (socket: Socket) => socket.end(respond(200, "connection: close\r\n")),
  "answers after 1.2 s": (socket: Socket) => setTimeout(() => socket.writable && socket.write(respond(200)), 1200),
  "answers 500": (socket: Socket) => socket.write(respond(500)),
  "answers no JSON": (socket: Socket) => socket.write(respond(200).replace(/1$/, "?")),
  "answers 32 KiB": (socket: Socket) => {
    socket.write(`HTTP/1.1 200 X\r\ncontent-length: 32768\r\n\r\n${" ".repeat(32768)}`);
  },
  "is no HTTP server": (socket: Socket) => socket.write("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
  "is silent": () => {},
  closes: (socket: Socket) => socket.destroy(),
  "cuts its answers off": (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1"),
};

export type Behavior = keyof typeof BEHAVIORS;
export const behaviors = Object.keys(BEHAVIORS) as Behavior[];

export class LoopbackServer {
  /** Requests so far. */
  served = 0;
  behavior: Behavior = "answers";
  readonly sockets = new Set<Socket>();
  #server: Server | undefined;
  constructor(
    readonly address: string,
    readonly port: number,
  ) {}

  start(): Promise<void> {
    this.#server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.sockets.delete(socket));
      socket.on("data", (bytes) => {
        for (const _ of bytes.toString().matchAll(/GET/g)) {
          this.served++;
          BEHAVIORS[this.behavior](socket);
        }
      });
    });
    return new Promise((resolve) => this.#server?.listen(this.port, this.address, resolve));
  }

  /** As a process that is killed. */
  stop(): void {
    this.#server?.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** Starts servers on one port of 127.0.0.2 and the addresses after it. */
export async function startServers(count: number): Promise<LoopbackServer[]> {
  const port = await freePort();
  const servers = Array.from({ length: count }, (_, i) => new LoopbackServer(`127.0.0.${i + 2}`, port));
  await Promise.all(servers.map((server) => server.start()));
  return servers;
}

/**
 * Makes an address drop what is sent to it: a stopped process listens, and its queue of connections is full. Returns
 * what ends that.
 */
export async function startBlackHole(address: string, port: number): Promise<() => void> {
  const listen = `require("node:net").createServer().listen(${port}, "${address}", 1, () => console.log("listens"))`;
  const child = Bun.spawn([process.execPath, "-e", listen], { stdout: "pipe" });
  await child.stdout.getReader().read();
  child.kill("SIGSTOP");
  const sockets = new Set<Bun.Socket>();
  // The kernel may take more than it was asked to: the queue is full once a connection does not open.
  for (let count = 0; count === sockets.size; count++) {
    const open = (socket: Bun.Socket) => void sockets.add(socket);
    Bun.connect({ hostname: address, port, socket: { open, data: () => {} } }).catch(() => {});
    for (let turns = 0; turns < 50 && sockets.size === count; turns++) await Bun.sleep(1);
  }
  return () => {
    child.kill("SIGKILL");
    for (const socket of sockets) socket.terminate();
  };
}
