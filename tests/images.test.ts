// The two images, as the engine built them.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { output, run } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { type Name, PORT, SERVICES } from "../testing/services.ts";
import { OWN, ownStack, removeImages } from "../testing/stack.ts";

const stack = await ownStack();

beforeAll(async () => {
  await stack.compose("build");
});
afterAll(removeImages);

const base = async () =>
  (await output(["bash", "-c", ". scripts/common.sh; setting RUNTIME_IMAGE ''"])) || dockerfileBase();
const dockerfileBase = async () =>
  /^ARG RUNTIME_IMAGE=(.+)$/m.exec(await Bun.file("api-backend/Dockerfile").text())?.[1] ?? "";

/** The paths of all files of an image, as a container sees them. */
async function files(image: string): Promise<Set<string>> {
  const id = await output(["docker", "create", image, "-"]);
  try {
    return new Set((await output(["bash", "-c", `docker export ${id} | tar -t`])).split("\n"));
  } finally {
    await run(["docker", "rm", id]);
  }
}

describe.each([...SERVICES])("the image of %s", (name: Name) => {
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
    const revision = await output(["git", "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty"]);
    expect(Labels).toMatchObject({
      hub_url: `docker.io/${OWN}/${name}`,
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
