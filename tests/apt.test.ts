// scripts/apt for a user who may not renew the package lists of the machine, which are missing or out of date.

import { expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../host/command.ts";

const asRootOnDebian = test.skipIf(process.getuid?.() !== 0 || !Bun.which("apt-get"));

asRootOnDebian("two at a time download package lists of their own, and then packages", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-apt-"));
  try {
    cpSync("scripts", join(folder, "scripts"), { recursive: true });
    mkdirSync(join(folder, "empty"));
    await runOrThrow(["chown", "-R", "65534:65534", folder]);
    const user = "setpriv --reuid=65534 --regid=65534 --clear-groups";
    const unpack = (name: string) => `${user} sh scripts/apt unpack ${name}`;
    const steps = [
      "mount --bind empty /var/lib/apt/lists",
      `{ ${unpack("hello")} & }`,
      `${unpack("netbase")} && wait $!`,
    ];
    const { code, stdout, stderr } = await run(["unshare", "--mount", "sh", "-c", steps.join(" && ")], { cwd: folder });
    expect(stderr).not.toContain("error");
    expect(stderr).toContain("==> updating the package lists\n");
    expect(stdout.trim().split("\n").sort()).toEqual([`${folder}/.cache/hello`, `${folder}/.cache/netbase`]);
    expect(code).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
