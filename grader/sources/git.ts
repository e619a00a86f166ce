import { rmSync } from "node:fs";
import { type Environment, type Outcome, run } from "../../host/command.ts";
import type { Ungradable } from "../errors.ts";
import { LIMITS } from "../safety/copy.ts";
import { type GitAddress, withoutPassword } from "./git-address.ts";
import { REACH, refusalOf, unknownCommit } from "./git-refusal.ts";
import { environment, SETTINGS } from "./git-settings.ts";
import { ungradable } from "./refused.ts";
import { Sink } from "./sink.ts";
import { unpackTar } from "./tar.ts";
import type { UnpackOptions } from "./unpack.ts";

/** For all of a repository, over a slow line. */
const TIMEOUT_S = 300;

const HASH = /^([\da-f]{40}|[\da-f]{64})$/i;
/** Of a server that has the repository as files only (gitprotocol-http(5), "dumb clients"). */
const NO_DEPTH = /does not support shallow/;
const SHORT_HASH = /^[\da-f]{4,64}$/i;

/**
 * Brings a commit of a repository here. The teacher's logins, keys and proxies are used, but nothing is asked.
 *
 * Its files are not checked out but unpacked from `git archive`: so the limits of an archive hold for them, since a
 * repository of a few hundred bytes can have billions of files; and there is no `.git`, no submodule, and nothing that a
 * hook or a filter makes.
 *
 * @param to a folder that does not exist yet; incomplete after an error
 * @throws {Ungradable} if there is no such repository or commit, or it cannot be reached
 */
export async function clone(
  address: GitAddress,
  to: string,
  { signal, limits = LIMITS, name }: UnpackOptions = {},
): Promise<void> {
  const shown = name ?? withoutPassword(address.url + (address.commit === undefined ? "" : `#${address.commit}`));
  const repository = `${to}.git`;
  try {
    await new Clone(shown, address, repository, await environment(), signal).into(new Sink(to, limits));
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw ungradable(shown, error);
  } finally {
    rmSync(repository, { recursive: true, force: true });
  }
}

class Clone {
  readonly #end = Date.now() + TIMEOUT_S * 1000;

  constructor(
    readonly shown: string,
    readonly address: GitAddress,
    readonly repository: string,
    readonly env: Environment,
    readonly signal: AbortSignal | undefined,
  ) {}

  async into(sink: Sink): Promise<void> {
    const made = await this.#git("init", "--quiet", "--bare", "--template=");
    if (made.code !== 0) throw this.#refusal(made);
    await this.#unpack(await this.#commit(), sink);
  }

  /** Fetches what is meant, and returns the hash of the commit. */
  async #commit(): Promise<string> {
    const { commit } = this.address;
    let fetched = await this.#fetch([commit ?? "HEAD"], "--depth=1");
    if (NO_DEPTH.test(fetched.stderr)) fetched = await this.#fetch([commit ?? "HEAD"]);
    if (fetched.code === 0) return this.#resolve("FETCH_HEAD");
    if (commit === undefined || !SHORT_HASH.test(commit) || REACH.test(fetched.stderr)) throw this.#refusal(fetched);
    // No server gives a commit by a part of its hash, and not all by the whole.
    const whole = await this.#fetch(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]);
    if (whole.code !== 0) throw this.#refusal(whole);
    return this.#resolve(commit);
  }

  #refusal(outcome: Outcome): Ungradable {
    return refusalOf(this.shown, this.address, outcome);
  }

  /** @param what the references; not read as options, whatever they begin with */
  #fetch(what: readonly string[], ...options: string[]): Promise<Outcome> {
    return this.#git("fetch", "--quiet", "--no-tags", ...options, "--", this.address.url, ...what);
  }

  async #resolve(name: string): Promise<string> {
    const { code, stdout } = await this.#git(
      "rev-parse",
      "--verify",
      "--quiet",
      "--end-of-options",
      `${name}^{commit}`,
    );
    if (code !== 0 || !HASH.test(stdout.trim())) throw unknownCommit(this.shown, this.address.commit);
    return stdout.trim();
  }

  async #unpack(hash: string, sink: Sink): Promise<void> {
    // The attributes of a working tree, of which there is none: so no file is left out or changed by the repository's
    // `.gitattributes`, and git does not read the whole tree into memory before it writes the first file.
    const archive = Bun.spawn(this.#command("archive", "--format=tar", "--worktree-attributes", hash), {
      env: { ...process.env, ...this.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: Math.max(1, this.#end - Date.now()),
    });
    try {
      await unpackTar(archive.stdout, sink, this.signal);
      sink.finish();
    } finally {
      archive.kill("SIGKILL");
      await archive.exited;
    }
  }

  #git(...command: string[]): Promise<Outcome> {
    const seconds = Math.max(1, (this.#end - Date.now()) / 1000);
    return settled(
      run(this.#command(...command), { env: this.env, seconds, signal: this.signal, ownGroup: true }),
      this.signal,
    );
  }

  #command(...command: string[]): string[] {
    return ["git", ...SETTINGS, `--git-dir=${this.repository}`, ...command];
  }
}

/** `run` never settles once it is cancelled. */
function settled<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  return Promise.race([result, aborted]);
}
