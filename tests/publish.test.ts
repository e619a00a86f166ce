// `make tag` and `make push`, with a real registry on this machine, and pulling the images back.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { run, runOrThrow } from "../host/command.ts";
import { type Image, inspect } from "../host/docker.ts";
import { freePort } from "../host/tcp.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { rawRequest, sendRaw } from "../testing/raw-http.ts";
import { startRegistry } from "../testing/registry.ts";
import { BODY, PORT, SERVICES, type ServiceName } from "../testing/services.ts";
import { createTestStack, removeImages, TEST_NAME } from "../testing/stack.ts";
import { waitUntil } from "../testing/wait-until.ts";

const stack = await createTestStack();
const { version } = await Bun.file("package.json").json();
const TAGS = ["latest", version];

describeWithEngine("publishing", () => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;

  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(async () => {
    await registry.stop();
    await removeImages();
  });

  test("make tag tags both images, as latest and with the version", async () => {
    const tagged = (await runOrThrow(["make", "tag"], stack.env)).split("\n");
    expect(tagged).toEqual(SERVICES.flatMap((name) => TAGS.map((tag) => `docker.io/${TEST_NAME}/${name}:${tag}`)));
    for (const image of tagged) expect((await inspect<Image>(image)).Config.Labels?.hub_url).toStartWith("docker.io/");
  });

  test("make push pushes both tags of both images to the registry", async () => {
    await runOrThrow(["make", "push"], { ...stack.env, LAB_REGISTRY: registry.address });
    for (const name of SERVICES) {
      const list = await (await fetch(`http://${registry.address}/v2/${TEST_NAME}/${name}/tags/list`)).json();
      expect(list).toEqual({ name: `${TEST_NAME}/${name}`, tags: expect.arrayContaining(TAGS) });
    }
  });

  test("the images that are pulled back are the same, and run", async () => {
    const ids = await Promise.all(SERVICES.map(async (name) => (await inspect<Image>(stack.image(name))).Id));
    await removeImages();
    for (const [i, name] of SERVICES.entries()) {
      expect((await run(["docker", "image", "inspect", ids[i] ?? ""])).code).not.toBe(0);
      const image = `${registry.address}/${TEST_NAME}/${name}:${version}`;
      await runOrThrow(["docker", "pull", "--quiet", image]);
      expect((await inspect<Image>(image)).Id).toBe(ids[i] ?? "");
      await expectToRun(name, image);
    }
  });
});

/** Runs an image on its own, the frontend without a backend, and checks a response. */
async function expectToRun(name: ServiceName, image: string) {
  const hostPort = await freePort();
  const options = ["--publish", `127.0.0.1:${hostPort}:${PORT[name]}`, "--env", "API_BACKEND_URL=127.0.0.1"];
  options.push("--env", "API_BACKEND_PORT=1", "--label", `com.docker.compose.project=${TEST_NAME}`);
  const container = await runOrThrow(["docker", "run", "--detach", "--rm", ...options, image]);
  try {
    const [path, body] = name === "api-backend" ? ["/", BODY[name]] : ["/healthz", '{\n  "status": "ok"\n}\n'];
    await waitUntil(`${name} answers`, async () => (await sendRaw(hostPort, rawRequest("GET", path))).endsWith(body));
  } finally {
    await runOrThrow(["docker", "stop", container]);
  }
}
