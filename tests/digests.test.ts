// Base images that are pinned by digest, as Renovate pins them, are pulled, and are not taken for others.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../host/command.ts";
import { copyCheckout } from "../testing/checkout.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { startRegistry } from "../testing/registry.ts";
import { compose1, compose2, TEST_NAME } from "../testing/stack.ts";

const FILES = ["api-backend/Dockerfile", "api-frontend/Dockerfile", "docker-compose.yaml", ".env.example"];

describeWithEngine("base images with a digest behind the tag", async () => {
  const generations = [
    ["1", await compose1()],
    ["2", await compose2()],
  ] as const;
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let checkout: Awaited<ReturnType<typeof copyCheckout>>;
  /** One image of a few bytes, in place of both. */
  let digest: string;
  let pinned: Record<"BUN_IMAGE" | "RUNTIME_IMAGE", string>;

  beforeAll(async () => {
    registry = await startRegistry();
    checkout = await copyCheckout();
    const name = `${registry.address}/${TEST_NAME}/base`;
    digest = await publish(name);
    pinned = { BUN_IMAGE: `${name}:1.4@${digest}`, RUNTIME_IMAGE: `${name}:nonroot@${digest}` };
    for (const file of FILES) replaceDefaults(join(checkout.folder, file));
  });
  afterAll(async () => {
    await removeImages();
    await registry.stop();
    checkout.remove();
  });

  /** Pushes an image with both tags, and returns its digest. */
  async function publish(name: string): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), "tpdocker-digests-"));
    writeFileSync(join(folder, "Dockerfile"), `FROM scratch\nLABEL test=${TEST_NAME}\nCOPY Dockerfile /\n`);
    await runOrThrow(["docker", "build", "--quiet", "--tag", `${name}:1.4`, folder]);
    rmSync(folder, { recursive: true });
    await runOrThrow(["docker", "tag", `${name}:1.4`, `${name}:nonroot`]);
    for (const tag of ["1.4", "nonroot"]) await runOrThrow(["docker", "push", "--quiet", `${name}:${tag}`]);
    const printed = await runOrThrow([
      "docker",
      "image",
      "inspect",
      "--format",
      "{{json .RepoDigests}}",
      `${name}:1.4`,
    ]);
    const digests: string[] = JSON.parse(printed);
    return digests.find((reference) => reference.startsWith(name))?.split("@")[1] ?? "";
  }

  function replaceDefaults(path: string) {
    let text = readFileSync(path, "utf8");
    for (const [name, image] of Object.entries(pinned))
      text = text.replace(new RegExp(`(?<=${name}(=|:-))[^}\\s]+`, "g"), image);
    writeFileSync(path, text);
  }

  async function removeImages() {
    const ids = await runOrThrow(["docker", "image", "ls", "--quiet", "--filter", `label=test=${TEST_NAME}`]);
    if (ids !== "") await runOrThrow(["docker", "image", "rm", "--force", ...new Set(ids.split("\n"))]);
  }

  /** Runs a script of the copy, with its defaults. */
  const script = (name: string, env = {}) =>
    run(["sh", `scripts/${name}`], {
      cwd: checkout.folder,
      env: { BUN_IMAGE: undefined, RUNTIME_IMAGE: undefined, ...env },
    });

  test.each(generations)("are read with Compose %s", async (_, generation) => {
    // Not on this machine.
    if (generation === undefined) return;
    const { stdout } = await script("config", generation);
    for (const [name, image] of Object.entries(pinned)) expect(stdout).toContain(`\n${name}=${image}\n`);
  });

  test("are pulled where they are missing, and found where they are not", async () => {
    await removeImages();
    const { code, stderr } = await script("bases");
    // Both tags have the same digest: the second is found.
    expect(stderr.match(/^==> .*/gm)).toEqual([`==> pulling ${pinned.BUN_IMAGE} (up to a minute)`]);
    expect(code).toBe(0);
    for (const image of Object.values(pinned)) await runOrThrow(["docker", "image", "inspect", image]);
    expect(await script("bases")).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("are not replaced by stand-ins if the registry sends something else", async () => {
    await removeImages();
    const [algorithm, hash = ""] = digest.split(":");
    const path = `${registry.folder}/docker/registry/v2/blobs/${algorithm}/${hash.slice(0, 2)}/${hash}/data`;
    const manifest = readFileSync(path, "utf8");
    try {
      writeFileSync(path, `${manifest}\n`);
      const { code, stderr } = await script("bases");
      expect(stderr).toContain(`error: BUN_IMAGE=${pinned.BUN_IMAGE} could not be pulled.\n`);
      expect(code).toBe(1);
    } finally {
      writeFileSync(path, manifest);
    }
  });
});
