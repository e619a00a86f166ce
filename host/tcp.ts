import { createConnection, createServer } from "node:net";

/** So much of what comes back is kept. */
const MAX_CHARACTERS = 1024 * 1024;

/**
 * Sends bytes and returns what comes back until the other side closes, at most its first MiB; `undefined` if it has not
 * closed after `seconds` in all.
 *
 * @throws {Error} if nothing listens on the port
 */
export function tcpRoundTrip(host: string, port: number, request: string, seconds = 60): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let received = "";
    const connection = createConnection(port, host, () => connection.write(request));
    connection.setEncoding("latin1");
    const timer = setTimeout(() => {
      connection.destroy();
      resolve(undefined);
    }, seconds * 1000);
    connection.on("data", (data: string) => {
      received += data.slice(0, MAX_CHARACTERS - received.length);
    });
    connection.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? resolve(received) : reject(error),
    );
    connection.on("end", () => resolve(received));
    connection.on("close", () => clearTimeout(timer));
  });
}

/** A range below the ephemeral ports that operating systems give to outgoing connections. */
const PORTS = { first: 10_000, count: 22_000 };

/**
 * Each process goes through the range from a place of its own: a port is free until the first of two takes it, and with
 * a random one each time two processes would meet now and then.
 */
let asked = Math.floor(Math.random() * PORTS.count);

/**
 * A TCP port of this machine on which nothing listens, and which no outgoing connection will take; another one each time.
 *
 * @throws {Error} if there is none left
 */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < PORTS.count; tried++) {
    const port = PORTS.first + (asked++ % PORTS.count);
    if (await isFree(port)) return port;
  }
  throw new Error("no free port is left");
}

/** Whether nothing listens on a TCP port of this machine. */
export function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on("error", () => resolve(false)).listen(port, () => server.close(() => resolve(true)));
  });
}
