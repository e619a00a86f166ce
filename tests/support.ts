// What the tests of this folder share: commands, ports, and HTTP down to the bytes.
import { type Outcome, run as runCommand } from "../correction/command.ts";
import { exchange as exchangeWith } from "../correction/http.ts";

export { freePort } from "../correction/http.ts";

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

/** Runs a command to its end, with these variables beside the ones that are set here. */
export const run = (command: readonly string[], env: Environment = {}): Promise<Outcome> =>
  runCommand(command, { env });

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

/** Sends bytes to a port of 127.0.0.1 and gives all that comes back until the other side closes. */
export async function exchange(port: number, request: string): Promise<string> {
  const received = await exchangeWith("127.0.0.1", port, request);
  if (received === undefined) throw new Error(`port ${port} neither answered nor closed`);
  return received;
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
