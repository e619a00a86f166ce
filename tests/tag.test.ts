import { afterAll, expect, test } from "bun:test";
import { runOrThrow } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { SERVICES } from "../lab/services.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { createTestStack, removeImages, TEST_NAME } from "../testing/stack.ts";

const stack = await createTestStack();
const { version } = await Bun.file("package.json").json();

describeWithEngine("make tag", () => {
  afterAll(removeImages);

  test("tags both images, as latest and with the version", async () => {
    const tagged = (await runOrThrow(["make", "tag"], stack.env)).split("\n");
    const names = SERVICES.flatMap((name) => ["latest", version].map((tag) => `docker.io/${TEST_NAME}/${name}:${tag}`));
    expect(tagged).toEqual(names);
    for (const image of tagged) expect((await inspect<Image>(image)).Config.Labels?.hub_url).toStartWith("docker.io/");
  });
});
