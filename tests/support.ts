// What the tests of this folder share: commands, ports, and HTTP down to the bytes.
import { createConnection, createServer } from "node:net";

export const SERVICES = ["api-backend", "api-frontend"] as const;
export type Name = (typeof SERVICES)[number];

/** The port that each service has unless told otherwise. */
export const PORT = { "api-backend": 8001, "api-frontend": 8000 } as const;

/** The bodies that the subject fixes. */
export const BODY = {
  "api-backend": '{"body": "Je suis une r\\u00e9ponse du backend"}\n',
  "api-frontend":
    '{\n  "return": {\n    "body": "Je suis une r\\u00e9ponse du backend"\n  },\n  "status": "[SUCESS]"\n}\n',
} as const;

export type Environment = Record<string, string | undefined>;

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end, with these variables beside the ones that are set here. */
export async function run(command: string[], env: Environment = {}): Promise<Outcome> {
  const child = Bun.spawn(command, {
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

/**
 * What a command printed on stdout.
 *
 * @throws {Error} with all that it printed, where it did not exit with 0
 */
export async function output(command: string[], env: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, env);
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** A TCP port that nothing listens on. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on("error", reject).listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });
}

/** Sends bytes to a port of 127.0.0.1 and gives all that comes back until the other side closes. */
export function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    createConnection(port, "127.0.0.1", function (this: import("node:net").Socket) {
      this.write(request);
    })
      .setEncoding("latin1")
      .on("data", (data) => {
        received += data;
      })
      .on("error", (error: NodeJS.ErrnoException) => (error.code === "ECONNRESET" ? resolve(received) : reject(error)))
      .on("end", () => resolve(received));
  });
}

/** A request as it goes over the wire. */
export const wire = (method: string, path: string, ...headers: string[]): string =>
  [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", ""].join("\r\n");

/** An answer as it came over the wire, without the headers that change from one to the next. */
export async function answer(port: number, method: string, path: string): Promise<string> {
  const received = await exchange(port, wire(method, path));
  return received.replace(/^(date|connection|etag): .*\r\n/gim, "");
}

/**
 * Waits until a condition holds; one that throws does not hold.
 *
 * @throws {Error} past the deadline, in milliseconds
 */
export async function until(what: string, condition: () => unknown, deadline = 30_000): Promise<void> {
  let trouble: unknown = "the condition does not hold";
  for (const end = performance.now() + deadline; performance.now() < end; await Bun.sleep(20)) {
    try {
      if (await condition()) return;
    } catch (error) {
      trouble = error;
    }
  }
  throw new Error(`waited ${deadline} ms in vain until ${what}: ${trouble}`);
}
