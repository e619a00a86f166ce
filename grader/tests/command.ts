// The compiled grader, started as its users start it.

import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { waitUntil } from "../../testing/wait-until.ts";

const MINUTE_MS = 60_000;

export class GraderCommand {
  readonly #executable: string;
  #started = 0;

  /** @param folder for the executable, and the temporary files of each start */
  constructor(readonly folder: string) {
    this.#executable = join(folder, "grader");
  }

  compile = () => runOrThrow(["sh", "scripts/compile", this.#executable, "grader/main.ts"]);

  get path(): string {
    return this.#executable;
  }

  /**
   * Starts it with a folder of its own for temporary files.
   *
   * @param prefix a command that runs it
   */
  start(args: readonly string[], environment: Record<string, string> = {}, prefix: readonly string[] = []) {
    const temporary = join(this.folder, String(++this.#started));
    mkdirSync(temporary);
    const env = { ...process.env, TMPDIR: temporary, ...environment };
    const command = [...prefix, this.#executable, ...args];
    const child = Bun.spawn(command, { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    let stderr = "";
    const reading = (async () => {
      for await (const bytes of child.stderr) stderr += Buffer.from(bytes);
    })();
    const stdout = child.stdout.text();
    return {
      child,
      temporary,
      stdout,
      /** Everything that it wrote to stderr, once it has ended. */
      errors: () => reading.then(() => stderr),
      /** What it has written to stderr so far. */
      said: () => stderr,
      waitFor: (text: string) => waitUntil(`the grader writes ${text}`, () => stderr.includes(text), MINUTE_MS),
      /** The temporary files, containers, networks, volumes and images that it left behind. */
      leftovers: async () => [...readdirSync(temporary), ...(await leftoversOf(`grader${child.pid}x`))].join(""),
    };
  }
}

/** What the engine has whose name begins with this. */
async function leftoversOf(name: string): Promise<string[]> {
  const filter = ["--quiet", "--filter", `name=${name}`];
  const lists = [
    ["docker", "ps", "--all", ...filter],
    ["docker", "network", "ls", ...filter],
    ["docker", "volume", "ls", ...filter],
    ["docker", "image", "ls", "--quiet", "--filter", `reference=${name}*/*`],
  ];
  return Promise.all(lists.map((list) => runOrThrow(list)));
}
