import { ENDED, PROMPT } from "./prompt.ts";

/** The grader's table has 81 columns. */
const COLUMNS = 84;
/** The table's 34 lines, and some more. */
const ROWS = 40;

/** Seconds between two keys. */
const KEY_S = 0.035;
/** Seconds that an interrupted command gets. */
const CLEAN_UP_S = 60;

/** How a command ended, and what it printed, without escape sequences. */
export interface Result {
  readonly code: number;
  readonly output: string;
}

/** A shell in a terminal, which asciinema records. */
export class RecordedShell {
  readonly #decoder = new TextDecoder();
  readonly #terminal: Bun.Terminal;
  readonly #recorder: Bun.Subprocess;
  #printed = "";
  #changed = Promise.withResolvers<void>();
  #ended = false;
  #interrupted = false;

  /**
   * @param file for the recording
   * @param env all variables of the shell, besides its prompt
   */
  constructor(file: string, env: Record<string, string>) {
    this.#terminal = new Bun.Terminal({
      cols: COLUMNS,
      rows: ROWS,
      data: (_, bytes) => this.#read(bytes),
    });
    // The recorder opens /dev/tty, so this has to be its controlling terminal.
    const command = ["setsid", "--ctty", "--wait", "asciinema", "rec", "--quiet", "--overwrite", ...formatOptions(env)];
    this.#recorder = Bun.spawn([...command, "--command", "sh -i", file], {
      terminal: this.#terminal,
      env: { ...env, PS1: PROMPT, PS2: "> " },
    });
    this.#recorder.exited.then(() => {
      this.#ended = true;
      this.#changed.resolve();
    });
  }

  #read(bytes: Uint8Array): void {
    this.#printed += this.#decoder.decode(bytes, { stream: true });
    this.#changed.resolve();
  }

  /**
   * Waits for the prompt.
   *
   * @param seconds at most
   * @throws {Error} if it does not come
   */
  async prompt(seconds: number): Promise<Result> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#changed.resolve();
    }, seconds * 1000);
    try {
      for (;;) {
        const [, output, code] = ENDED.exec(this.#printed) ?? [];
        if (output !== undefined) return { code: Number(code), output: plain(output) };
        if (this.#ended) throw new Error(`the recorder has ended:\n${plain(this.#printed)}`);
        if (isLate) throw new Error(`no prompt after ${seconds} s:\n${plain(this.#printed)}`);
        this.#changed = Promise.withResolvers();
        await this.#changed.promise;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Types a command, key by key, and Enter; all its lines but the last one end with a backslash. */
  async type(command: string): Promise<void> {
    this.#printed = "";
    for (const key of `${command}\n`) {
      if (this.#interrupted) return;
      this.#terminal.write(key === "\n" ? "\r" : key);
      await Bun.sleep(KEY_S * 1000);
    }
  }

  /** Types Ctrl-C, and nothing more. */
  interrupt(): void {
    this.#interrupted = true;
    if (!this.#ended) this.#terminal.write("\x03");
  }

  /** Ends what runs, which may clean up, and the shell, and waits until the recording is complete. */
  async end(): Promise<void> {
    if (!ENDED.test(this.#printed)) {
      this.interrupt();
      await this.prompt(CLEAN_UP_S).catch(() => {});
    }
    if (!this.#ended) this.#terminal.write("exit\r");
    // The shell and its programs get SIGHUP, if they are still there.
    const timer = setTimeout(() => this.#terminal.close(), CLEAN_UP_S * 1000);
    await this.#recorder.exited;
    clearTimeout(timer);
    this.#terminal.close();
  }
}

/** From version 3 on, asciinema writes a newer format if it is not told otherwise. */
function formatOptions(env: Record<string, string>): string[] {
  const version = Bun.spawnSync(["asciinema", "--version"], { env }).stdout.toString();
  return /^asciinema [012]\./.test(version) ? [] : ["--output-format", "asciicast-v2"];
}

/** Output without escape sequences and carriage returns. */
const plain = (output: string) => Bun.stripANSI(output).replaceAll("\r", "");
