import { readBounded } from "./bounded-text.ts";

/** How a command ended, and what it printed. */
export interface Outcome {
  /** The exit code; 124 if it timed out, 127 if there is no such command. */
  readonly code: number;
  /** The beginning and the end, if it is longer than `MAX_OUTPUT_BYTES`. */
  readonly stdout: string;
  readonly stderr: string;
}

/** Variables added to this process's environment; `undefined` removes one. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Options {
  readonly cwd?: string;
  readonly env?: Environment;
  /** Gives the command `env` alone, and nothing of this process's environment. */
  readonly onlyEnv?: boolean;
  /** Ends the programs that the command has started with it. A Ctrl-C on the terminal then does not reach them. */
  readonly ownGroup?: boolean;
  /** Timeout in seconds; the command is killed after it. */
  readonly seconds?: number;
  /** Kills the command; a pending or later call of `run` with it never settles. */
  readonly signal?: AbortSignal | undefined;
  /** Runs even after `cancelCommands`, for cleanup. */
  readonly cleansUp?: boolean;
  /** Is given what the command prints on stderr, as it comes. */
  readonly onStderr?: (text: string) => void;
}

/** So much of each output stream is kept. */
export const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;

type Signal = "SIGTERM" | "SIGKILL";
interface Child {
  readonly exited: Promise<number>;
  kill(signal: Signal): void;
}

const children = new Set<Child>();
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
/** A program that the command left behind may keep its output open. */
const OUTPUT_GRACE_MS = 2000;

/** Runs a command until it exits or times out. */
export async function run(command: readonly string[], options: Options = {}): Promise<Outcome> {
  const never = new Promise<never>(() => {});
  const isCancelled = () => (cancelled && !options.cleansUp) || options.signal?.aborted === true;
  if (isCancelled()) return never;
  const seconds = options.seconds ?? DEFAULT_TIMEOUT_S;
  let started: ReturnType<typeof spawn>;
  try {
    started = spawn(command, options);
  } catch (error) {
    return { code: 127, stdout: "", stderr: (error as Error).message };
  }
  children.add(started);
  let timedOut = false;
  const kill = () => started.kill("SIGKILL");
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, seconds * 1000);
  options.signal?.addEventListener("abort", kill);
  const [stdout, stderr] = started.outputs;
  const ended = Promise.all([stdout.ended, stderr.ended]);
  const code = await started.exited;
  clearTimeout(timer);
  options.signal?.removeEventListener("abort", kill);
  const grace = Promise.withResolvers<void>();
  const graceTimer = setTimeout(grace.resolve, OUTPUT_GRACE_MS);
  await Promise.race([ended, grace.promise]);
  clearTimeout(graceTimer);
  children.delete(started);
  if (isCancelled()) return never;
  if (timedOut) return { code: 124, stdout: stdout.text(), stderr: `${stderr.text()}\nkilled after ${seconds} s` };
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function spawn(command: readonly string[], { cwd, env, onlyEnv, ownGroup = false, onStderr }: Options) {
  const child = Bun.spawn([...command], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...(onlyEnv ? {} : process.env), ...env },
    detached: ownGroup,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  return {
    exited: child.exited,
    outputs: [
      readBounded(child.stdout, MAX_OUTPUT_BYTES),
      readBounded(child.stderr, MAX_OUTPUT_BYTES, onStderr),
    ] as const,
    kill(signal: Signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      // A negative number names a process group (kill(2)).
      if (ownGroup) process.kill(-child.pid, signal);
      else child.kill(signal);
    },
  };
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
