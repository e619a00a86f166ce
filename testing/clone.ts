// A clone of this checkout, in which make works without downloading again what this checkout has.
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { commitAll, copyCheckout } from "./checkout.ts";

/**
 * Clones this checkout, with its files as they are now as the only commit, into a folder with a space in its name.
 *
 * @param source the address that the clone has for where it comes from
 */
export async function cloneCheckout(source: string) {
  const original = await copyCheckout("the original");
  // Whoever publishes from this checkout has one.
  rmSync(join(original.folder, "cosign.pub"), { force: true });
  const commit = await commitAll(original.folder);
  const folder = join(dirname(original.folder), "a clone");
  await runOrThrow(["git", "clone", "--quiet", original.folder, folder]);
  await runOrThrow(["git", "-C", folder, "remote", "set-url", "origin", source]);
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  // The pattern of .gitignore is one for folders only.
  appendFileSync(join(folder, ".git/info/exclude"), "node_modules\n");
  mkdirSync(join(folder, ".cache"));
  for (const name of readdirSync(".cache")) symlinkSync(resolve(".cache", name), join(folder, ".cache", name));
  if (existsSync(".env")) cpSync(".env", join(folder, ".env"));
  rmSync(original.folder, { recursive: true });
  return { folder, commit, remove: original.remove };
}
