// Copies of this checkout, to be spoilt by a test.

import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";

/**
 * Copies the files that git knows, as they are now and without their history, to a folder that every user can read.
 *
 * @param name the folder's name
 */
export async function copyCheckout(name = "checkout") {
  const parent = mkdtempSync(join(tmpdir(), "tpdocker-"));
  chmodSync(parent, 0o755);
  const folder = join(parent, name);
  const files = (await runOrThrow(["git", "ls-files", "-z"])).split("\0").filter(Boolean);
  for (const file of files) cpSync(file, join(folder, file), { recursive: true });
  return {
    folder,
    remove: () => rmSync(parent, { recursive: true, force: true }),
  };
}

/** Makes a copy a repository with one commit, of which it returns the hash. */
export async function commitAll(folder: string): Promise<string> {
  const git = (...args: string[]) =>
    runOrThrow(["git", "-C", folder, "-c", "user.name=test", "-c", "user.email=test@example.org", ...args]);
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Test", "--no-verify");
  return git("rev-parse", "HEAD");
}
