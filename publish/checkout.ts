// Folders with the files of a commit.
import { mkdir, rm } from "node:fs/promises";
import { run, runOrThrow } from "../host/command.ts";
import { Refusal } from "../host/refusal.ts";

// Git refuses the repository of another user, as under sudo.
const git = (...args: string[]) => ["git", "-c", "safe.directory=*", ...args];

/** Writes the files of a commit of this repository, and nothing else, into a folder, which is made. */
export async function writeCommit(commit: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const archive = `${folder}.tar`;
  await runOrThrow(git("archive", "--output", archive, commit));
  await runOrThrow(["tar", "-xf", archive, "-C", folder]);
  await rm(archive);
}

/** Writes the files of this folder as they are, without what git and make keep in it. */
export async function writeWorkingTree(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const archive = `${folder}.tar`;
  const others = [".git", ".cache", ".env", "node_modules", "bin"].map((name) => `--exclude=./${name}`);
  await runOrThrow(["tar", "-cf", archive, ...others, "."]);
  await runOrThrow(["tar", "-xf", archive, "-C", folder]);
  await rm(archive);
}

/**
 * Makes sure that this repository has a commit; if it has not, fetches it from where it is said to be.
 *
 * @throws {Refusal} if it cannot be had
 */
export async function haveCommit(commit: string, source: string | undefined): Promise<void> {
  const isHere = () => run(git("cat-file", "-e", `${commit}^{commit}`));
  if ((await isHere()).code === 0) return;
  if (source === undefined) throw new Refusal(`this repository does not have the commit ${commit}.`);
  const { stderr } = await run(git("fetch", "--quiet", source, commit));
  if ((await isHere()).code === 0) return;
  throw new Refusal(
    `the commit ${commit} is neither in this repository nor can it be fetched from ${source}.`,
    stderr.trim().split("\n").at(-1) ?? "",
  );
}

/** Whether a branch or a tag of another repository, as this one knows it, has a commit. */
export async function isPublished(commit: string): Promise<boolean> {
  const { stdout } = await run(git("branch", "--remotes", "--contains", commit));
  return stdout.trim() !== "";
}
