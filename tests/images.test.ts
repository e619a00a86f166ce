// The two images as the engine built them.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { run, runOrThrow } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { PORT, SERVICES } from "../lab/services.ts";
import { RUNTIME } from "../testing/base-images.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { createTestStack, removeImages, TEST_NAME } from "../testing/stack.ts";

const MAX_EXECUTABLE_BYTES = 115e6;

const stack = await createTestStack();

/** The paths of all files of an image, as a container sees them. */
async function filesOf(image: string): Promise<Set<string>> {
  const id = await runOrThrow(["docker", "create", image, "-"]);
  try {
    return new Set((await runOrThrow(["bash", "-c", `docker export ${id} | tar -t`])).split("\n"));
  } finally {
    await run(["docker", "rm", id]);
  }
}

describeWithEngine("images", () => {
  beforeAll(async () => {
    await stack.compose("build");
  });
  afterAll(removeImages);

  describe.each([...SERVICES])("%s", (name) => {
    test("runs only the executable, as user 65532, and exposes its port", async () => {
      const { Config } = await inspect<Image>(stack.image(name));
      expect(Config.User).toBe("65532");
      expect(Config.Entrypoint).toEqual([`/${name}`]);
      expect(Config.Cmd ?? []).toEqual([]);
      expect(Config.ExposedPorts).toEqual({ [`${PORT[name]}/tcp`]: {} });
      expect(Config.Healthcheck?.Test).toEqual(["CMD", `/${name}`, "healthcheck"]);
    });

    test("has labels with its origin", async () => {
      const { Labels } = (await inspect<Image>(stack.image(name))).Config;
      const { version, license } = await Bun.file("package.json").json();
      const revision = await runOrThrow(["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]);
      expect(Labels).toMatchObject({
        hub_url: `docker.io/${TEST_NAME}/${name}`,
        // make clean finds the images by it.
        "tpdocker.image": name,
        "org.opencontainers.image.title": name,
        "org.opencontainers.image.description": expect.stringMatching(/^The (back|front)end of the lab: /),
        "org.opencontainers.image.source": expect.stringMatching(/^https:\/\//),
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.licenses": license,
        "org.opencontainers.image.base.name": RUNTIME,
      });
    });

    test("contains the base image and the executable, nothing else", async () => {
      const [image, base] = [await filesOf(stack.image(name)), await filesOf(RUNTIME)];
      expect([...image].filter((path) => !base.has(path))).toEqual([name]);
      expect([...base].filter((path) => !image.has(path))).toEqual([]);
    });

    test("is not larger than the base image and 115 MB", async () => {
      const [image, base] = [await inspect<Image>(stack.image(name)), await inspect<Image>(RUNTIME)];
      const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
      console.log(`${name}: ${megabytes(image.Size)}, of which base image ${megabytes(base.Size)}`);
      expect(image.Size - base.Size).toBeLessThan(MAX_EXECUTABLE_BYTES);
    });
  });
});
