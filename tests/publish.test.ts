// `make push`, to a real registry on this machine, and the way back.

import { afterAll, expect, test } from "bun:test";
import { output, run } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { freePort } from "../host/tcp.ts";
import { startRegistry } from "../testing/registry.ts";
import { BODY, type Name, PORT, SERVICES } from "../testing/services.ts";
import { OWN, ownStack, removeImages } from "../testing/stack.ts";
import { until } from "../testing/until.ts";
import { exchange, wire } from "../testing/wire.ts";

const stack = await ownStack();
const { version } = await Bun.file("package.json").json();
const TAGS = ["latest", version];
const registry = await startRegistry();
const REGISTRY = registry.address;

afterAll(async () => {
  await registry.stop();
  await removeImages();
});

test("make tag names both images, as latest and as the version", async () => {
  const tagged = await output(["make", "tag"], stack.env);
  expect(tagged.split("\n")).toEqual(SERVICES.flatMap((name) => TAGS.map((tag) => `docker.io/${OWN}/${name}:${tag}`)));
  for (const name of tagged.split("\n"))
    expect((await inspect<Image>(name)).Config.Labels?.hub_url).toStartWith("docker.io/");
});

test("make push puts both tags of both images into the registry", async () => {
  await output(["make", "push"], { ...stack.env, REGISTRY });
  for (const name of SERVICES) {
    const list = await (await fetch(`http://${REGISTRY}/v2/${OWN}/${name}/tags/list`)).json();
    expect(list).toEqual({ name: `${OWN}/${name}`, tags: expect.arrayContaining(TAGS) });
  }
});

test("pulled back, they are the same images, and run", async () => {
  const ids = await Promise.all(SERVICES.map(async (name) => (await inspect<Image>(stack.image(name))).Id));
  await removeImages();
  for (const [nth, name] of SERVICES.entries()) {
    expect((await run(["docker", "image", "inspect", ids[nth] ?? ""])).code).not.toBe(0);
    const image = `${REGISTRY}/${OWN}/${name}:${version}`;
    await output(["docker", "pull", "--quiet", image]);
    expect((await inspect<Image>(image)).Id).toBe(ids[nth] ?? "");
    await expectToRun(name, image);
  }
});

/** Runs an image as a container of its own, the frontend with no backend to ask. */
async function expectToRun(name: Name, image: string) {
  const outside = await freePort();
  const options = ["--publish", `127.0.0.1:${outside}:${PORT[name]}`, "--env", "API_BACKEND_URL=127.0.0.1"];
  options.push("--env", "API_BACKEND_PORT=1", "--label", `com.docker.compose.project=${OWN}`);
  const container = await output(["docker", "run", "--detach", "--rm", ...options, image]);
  try {
    const [path, body] = name === "api-backend" ? ["/", BODY[name]] : ["/healthz", '{\n  "status": "ok"\n}\n'];
    await until("it answers", async () => (await exchange(outside, wire("GET", path))).endsWith(body));
  } finally {
    await output(["docker", "stop", container]);
  }
}
