// `make push`, to a real registry on this machine, and the way back.

import { afterAll, expect, test } from "bun:test";
import { run, runOrThrow } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { freePort } from "../host/tcp.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { startRegistry } from "../testing/registry.ts";
import { BODY, PORT, SERVICES, type ServiceName } from "../testing/services.ts";
import { createTestStack, removeImages, TEST_NAME } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

const stack = await createTestStack();
const { version } = await Bun.file("package.json").json();
const TAGS = ["latest", version];
const registry = await startRegistry();
const REGISTRY = registry.address;

afterAll(async () => {
  await registry.stop();
  await removeImages();
});

test("make tag names both images, as latest and as the version", async () => {
  const tagged = await runOrThrow(["make", "tag"], stack.env);
  expect(tagged.split("\n")).toEqual(
    SERVICES.flatMap((name) => TAGS.map((tag) => `docker.io/${TEST_NAME}/${name}:${tag}`)),
  );
  for (const name of tagged.split("\n"))
    expect((await inspect<Image>(name)).Config.Labels?.hub_url).toStartWith("docker.io/");
});

test("make push puts both tags of both images into the registry", async () => {
  await runOrThrow(["make", "push"], { ...stack.env, REGISTRY });
  for (const name of SERVICES) {
    const list = await (await fetch(`http://${REGISTRY}/v2/${TEST_NAME}/${name}/tags/list`)).json();
    expect(list).toEqual({ name: `${TEST_NAME}/${name}`, tags: expect.arrayContaining(TAGS) });
  }
});

test("pulled back, they are the same images, and run", async () => {
  const ids = await Promise.all(SERVICES.map(async (name) => (await inspect<Image>(stack.image(name))).Id));
  await removeImages();
  for (const [nth, name] of SERVICES.entries()) {
    expect((await run(["docker", "image", "inspect", ids[nth] ?? ""])).code).not.toBe(0);
    const image = `${REGISTRY}/${TEST_NAME}/${name}:${version}`;
    await runOrThrow(["docker", "pull", "--quiet", image]);
    expect((await inspect<Image>(image)).Id).toBe(ids[nth] ?? "");
    await expectToRun(name, image);
  }
});

/** Runs an image as a container of its own, the frontend with no backend to ask. */
async function expectToRun(name: ServiceName, image: string) {
  const outside = await freePort();
  const options = ["--publish", `127.0.0.1:${outside}:${PORT[name]}`, "--env", "API_BACKEND_URL=127.0.0.1"];
  options.push("--env", "API_BACKEND_PORT=1", "--label", `com.docker.compose.project=${TEST_NAME}`);
  const container = await runOrThrow(["docker", "run", "--detach", "--rm", ...options, image]);
  try {
    const [path, body] = name === "api-backend" ? ["/", BODY[name]] : ["/healthz", '{\n  "status": "ok"\n}\n'];
    await waitUntil("it answers", async () => (await sendRaw(outside, rawRequest("GET", path))).endsWith(body));
  } finally {
    await runOrThrow(["docker", "stop", container]);
  }
}
