/** How a command ended, and what it printed. */
export interface Outcome {
  /** The exit code; 124 if it timed out, 127 if there is no such command. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables added to this process's environment; `undefined` removes one. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Options {
  readonly cwd?: string;
  readonly env?: Environment;
  /** Timeout in seconds; the command is killed after it. */
  readonly seconds?: number;
  /** Runs even after `cancelCommands`, for cleanup. */
  readonly cleansUp?: boolean;
}

const children = new Set<Bun.Subprocess>();
let cancelled = false;

/** Terminates all running commands and waits for their end. Pending and later calls of `run` never settle. */
export async function cancelCommands(): Promise<void> {
  cancelled = true;
  terminateCommands();
  await Promise.all([...children].map(({ exited }) => exited));
}

/** Sends SIGTERM to all running commands. */
export function terminateCommands(): void {
  for (const child of children) child.kill("SIGTERM");
}

const DEFAULT_TIMEOUT_S = 600;

/** Runs a command until it exits or times out. */
export async function run(command: readonly string[], options: Options = {}): Promise<Outcome> {
  const never = new Promise<never>(() => {});
  if (cancelled && !options.cleansUp) return never;
  const seconds = options.seconds ?? DEFAULT_TIMEOUT_S;
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
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  clearTimeout(timer);
  children.delete(child);
  if (cancelled && !options.cleansUp) return never;
  if (timedOut) return { code: 124, stdout, stderr: `${stderr}\nkilled after ${seconds} s` };
  return { code, stdout, stderr };
}

/**
 * Runs a command and returns its stdout, trimmed.
 *
 * @throws {Error} with all that it printed, if its exit code is not 0
 */
export async function runOrThrow(command: readonly string[], env: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await run(command, { env });
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}

/** A text as a single line of at most `length` characters. */
export function brief(text: string, length = 160): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > length ? `${line.slice(0, length)}…` : line;
}
