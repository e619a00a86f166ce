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
 * Makes sure that this repository has a commit; if it has not, fetches it from where it was cloned, and from nowhere else:
 * what a commit has in it is run.
 *
 * @param repository where the commit is said to be
 * @throws {Refusal} if it cannot be had
 */
export async function haveCommit(commit: string, repository: string | undefined): Promise<void> {
  const isHere = () => run(git("cat-file", "-e", `${commit}^{commit}`));
  if ((await isHere()).code === 0) return;
  const isShallow = (await run(git("rev-parse", "--is-shallow-repository"))).stdout.trim() === "true";
  // Asked for a commit by its hash, GitHub also gives one of anybody's fork: only what has a name there is the owner's.
  const options = ["--quiet", "--tags", ...(isShallow ? ["--unshallow"] : [])];
  await run(git("fetch", ...options, "origin", "+refs/heads/*:refs/remotes/origin/*"));
  if ((await isHere()).code === 0) return;
  throw new Refusal(
    `neither this repository nor a branch or tag of its origin has the commit ${commit}.`,
    repository === undefined ? "" : `It is said to be in ${repository}: verify in a clone of that, if you trust it.`,
  );
}

/** Whether a branch or a tag of another repository, as this one knows it, has a commit. */
export async function isPublished(commit: string): Promise<boolean> {
  const { stdout } = await run(git("branch", "--remotes", "--contains", commit));
  return stdout.trim() !== "";
}
