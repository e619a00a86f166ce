// A PATH with the small tools of other systems, without bash and the GNU tools.
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";

async function unpackBusybox(): Promise<string> {
  const unpacked = await runOrThrow(["sh", "scripts/apt", "unpack", "busybox"]);
  // In usr/bin from Debian 13 on.
  return ["bin", "usr/bin"].map((bin) => `${unpacked}/${bin}/busybox`).find((path) => existsSync(path)) ?? "";
}

/**
 * Makes a folder to be PATH, with busybox's applets and some programs of this machine, and in which sh is that shell.
 *
 * @returns its path, in `folder`
 */
export async function smallPath(
  folder: string,
  shell: "dash" | "busybox",
  programs: readonly string[] = ["docker", "git", "make"],
): Promise<string> {
  const path = join(folder, shell);
  mkdirSync(path);
  const busybox = Bun.which("busybox") ?? (await unpackBusybox());
  for (const applet of (await runOrThrow([busybox, "--list"])).split("\n"))
    if (applet !== "sh") symlinkSync(busybox, join(path, applet));
  symlinkSync(shell === "busybox" ? busybox : (Bun.which("dash") ?? ""), join(path, "sh"));
  for (const program of programs) symlinkSync(Bun.which(program) ?? "", join(path, program));
  return path;
}
