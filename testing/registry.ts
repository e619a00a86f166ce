// A real image registry on this machine: Debian's docker-registry.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { waitUntil } from "./wait-until.ts";

/** Starts an empty registry that needs no login. */
export async function startRegistry() {
  const program =
    Bun.which("docker-registry") ??
    `${await runOrThrow(["sh", "scripts/apt", "unpack", "docker-registry"])}/usr/bin/docker-registry`;
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-registry-"));
  const address = `127.0.0.1:${await freePort()}`;
  const config = join(folder, "config.yml");
  writeFileSync(
    config,
    JSON.stringify({ version: 0.1, storage: { filesystem: { rootdirectory: folder } }, http: { addr: address } }),
  );
  const child = Bun.spawn([program, "serve", config], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  await waitUntil("the registry answers", async () => (await fetch(`http://${address}/v2/`)).ok);
  return {
    address,
    async stop() {
      child.kill();
      await child.exited;
      rmSync(folder, { recursive: true });
    },
  };
}
