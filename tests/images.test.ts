// The two images, as the engine built them.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { run, runOrThrow } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { PORT, SERVICES, type ServiceName } from "../testing/services.ts";
import { createTestStack, removeImages, TEST_NAME } from "../testing/stack.ts";

const stack = await createTestStack();

beforeAll(async () => {
  await stack.compose("build");
});
afterAll(removeImages);

const base = async () =>
  (await runOrThrow(["bash", "-c", ". scripts/common.sh; setting RUNTIME_IMAGE ''"])) || dockerfileBase();
const dockerfileBase = async () =>
  /^ARG RUNTIME_IMAGE=(.+)$/m.exec(await Bun.file("api-backend/Dockerfile").text())?.[1] ?? "";

/** The paths of all files of an image, as a container sees them. */
async function files(image: string): Promise<Set<string>> {
  const id = await runOrThrow(["docker", "create", image, "-"]);
  try {
    return new Set((await runOrThrow(["bash", "-c", `docker export ${id} | tar -t`])).split("\n"));
  } finally {
    await run(["docker", "rm", id]);
  }
}

describe.each([...SERVICES])("the image of %s", (name: ServiceName) => {
  test("runs the executable alone, as user 65532, and names its port", async () => {
    const { Config } = await inspect<Image>(stack.image(name));
    expect(Config.User).toBe("65532");
    expect(Config.Entrypoint).toEqual([`/${name}`]);
    expect(Config.Cmd ?? []).toEqual([]);
    expect(Config.ExposedPorts).toEqual({ [`${PORT[name]}/tcp`]: {} });
    expect(Config.Healthcheck?.Test).toEqual(["CMD", `/${name}`, "healthcheck"]);
  });

  test("tells where it comes from", async () => {
    const { Labels } = (await inspect<Image>(stack.image(name))).Config;
    const { version, license } = await Bun.file("package.json").json();
    const revision = await runOrThrow(["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]);
    expect(Labels).toMatchObject({
      hub_url: `docker.io/${TEST_NAME}/${name}`,
      "org.opencontainers.image.title": name,
      "org.opencontainers.image.description": expect.stringMatching(/^The (back|front)end of the lab: /),
      "org.opencontainers.image.source": expect.stringMatching(/^https:\/\//),
      "org.opencontainers.image.version": version,
      "org.opencontainers.image.revision": revision,
      "org.opencontainers.image.licenses": license,
      "org.opencontainers.image.base.name": await base(),
    });
  });

  test("holds the base and the executable, nothing else", async () => {
    const [ours, theirs] = [await files(stack.image(name)), await files(await base())];
    expect([...ours].filter((path) => !theirs.has(path))).toEqual([name]);
    expect([...theirs].filter((path) => !ours.has(path))).toEqual([]);
  });

  test("has a size that is known", async () => {
    const [ours, theirs] = [await inspect<Image>(stack.image(name)), await inspect<Image>(await base())];
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
    console.log(`${name}: ${megabytes(ours.Size)}, of it the base ${megabytes(theirs.Size)}`);
    expect(ours.Size - theirs.Size).toBeLessThan(115e6);
  });
});
