// ORAS and Cosign, as `make push` gets them.
import { runOrThrow } from "../host/command.ts";

/** A PATH with both in front. */
export async function pathWithTools(): Promise<string> {
  const folders: string[] = [];
  for (const program of ["oras", "cosign"]) {
    if (Bun.which(program) !== null) continue;
    const unpack = ["sh", "scripts/apt", "unpack", program];
    folders.push(`${await runOrThrow(unpack, { APT_RELEASE: "trixie" })}/usr/bin`);
  }
  return [...folders, process.env.PATH].join(":");
}
