/** How a command ended, and what it printed. */
export interface Outcome {
  /** The exit code; 124 where the time limit ended it, 127 where there is no such command. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables beside the ones that are set here; `undefined` takes one away. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Options {
  readonly cwd?: string;
  readonly env?: Environment;
  /** Seconds after which the command is ended. */
  readonly seconds?: number;
  /** Runs after an interruption too: it cleans up. */
  readonly cleansUp?: boolean;
}

const children = new Set<Bun.Subprocess>();
let interrupted = false;

/** Ends every command that runs. Whoever waits for one, or starts another one, waits for ever. */
export async function interrupt(): Promise<void> {
  interrupted = true;
  endAll();
  await Promise.all([...children].map(({ exited }) => exited));
}

/** Tells every command that runs to end. */
export function endAll(): void {
  for (const child of children) child.kill("SIGTERM");
}

const DEFAULT_SECONDS = 600;

/** Runs a command to its end. */
export async function run(command: readonly string[], options: Options = {}): Promise<Outcome> {
  const never = new Promise<never>(() => {});
  if (interrupted && !options.cleansUp) return never;
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  let child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  try {
    child = Bun.spawn([...command], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
  } catch (error) {
    return { code: 127, stdout: "", stderr: (error as Error).message };
  }
  children.add(child);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  clearTimeout(timer);
  children.delete(child);
  if (interrupted && !options.cleansUp) return never;
  if (late) return { code: 124, stdout, stderr: `${stderr}\nended after ${seconds} s` };
  return { code, stdout, stderr };
}

/**
 * What a command printed on stdout, without the white space around it.
 *
 * @throws {Error} with all that it printed, where it did not exit with 0
 */
export async function output(command: readonly string[], env: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, { env });
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** At most `length` characters of a text on one line. */
export function brief(long: string, length = 160): string {
  const line = long.trim().replace(/\s+/g, " ");
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
