import { createConnection, createServer } from "node:net";

/**
 * Sends bytes and returns all that comes back until the other side closes; `undefined` if it has not closed within
 * `seconds`.
 *
 * @throws {Error} if nothing listens on the port
 */
export function tcpRoundTrip(host: string, port: number, request: string, seconds = 60): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let received = "";
    const connection = createConnection(port, host, () => connection.write(request));
    connection.setEncoding("latin1");
    connection.setTimeout(seconds * 1000, () => {
      connection.destroy();
      resolve(undefined);
    });
    connection.on("data", (data) => {
      received += data;
    });
    connection.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" ? resolve(received) : reject(error),
    );
    connection.on("end", () => resolve(received));
  });
}

/** A range below the ephemeral ports that operating systems give to outgoing connections. */
const PORTS = { first: 10_000, count: 22_000 };

/** A TCP port of this machine on which nothing listens, and which no outgoing connection will take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.on("error", () => resolve(false)).listen(port, () => server.close(() => resolve(true)));
  });
}
