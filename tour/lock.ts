// One tour of a name at a time on this machine.

import { rmSync } from "node:fs";
import { createConnection, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../host/refusal.ts";

/**
 * Keeps other tours of the same name from starting until this process ends, or calls the function that is returned. The
 * kernel closes the socket of a process that was killed, so that only a file is left of it, which the next tour removes.
 *
 * @throws {Refusal} if another one is running
 */
export async function acquire(name: string): Promise<() => void> {
  const path = join(tmpdir(), `${name}.sock`);
  const answer = await knock(path);
  if (answer === "nobody") rmSync(path, { force: true });
  else if (answer !== "nothing") throw taken(name, path, answer);
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.on("error", ({ code = "" }: NodeJS.ErrnoException) => reject(taken(name, path, code))).listen(path, resolve);
  });
  server.unref();
  return () => {
    server.close();
    rmSync(path, { force: true });
  };
}

/** What comes of a connection that fails. Only who listens can reset it: the tour that runs does so with each. */
const MEANING: Readonly<Record<string, string>> = {
  ENOENT: "nothing",
  ECONNREFUSED: "nobody",
  ECONNRESET: "somebody",
};

/** Whether somebody listens on a socket; a code of the system if that cannot be known. */
function knock(path: string): Promise<"somebody" | "nobody" | "nothing" | (string & {})> {
  const socket = createConnection(path);
  return new Promise((resolve) => {
    socket.on("connect", () => {
      socket.destroy();
      resolve("somebody");
    });
    socket.on("error", ({ code = "" }: NodeJS.ErrnoException) => resolve(MEANING[code] ?? code));
  });
}

const taken = (name: string, path: string, why: string) =>
  why === "somebody" || why === "EADDRINUSE"
    ? new Refusal(`another tour, ${name}, is running on this machine.`, "Leave it first, with q.")
    : new Refusal(
        `cannot see whether another tour, ${name}, is running: ${path} (${why}).`,
        "It may be another user's. If none is running, remove that file.",
      );
