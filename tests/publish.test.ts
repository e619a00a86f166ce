// `make push`, to a real registry on this machine, and the way back.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Image, inspect, OWN, ownStack, removeImages } from "./engine.ts";
import { BODY, exchange, freePort, type Name, output, PORT, run, SERVICES, until, wire } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "tpdocker-registry-"));
const stack = await ownStack();
const port = await freePort();
const REGISTRY = `127.0.0.1:${port}`;
const { version } = await Bun.file("package.json").json();
const TAGS = ["latest", version];
let registry: Bun.Subprocess;

beforeAll(async () => {
  const program =
    Bun.which("docker-registry") ??
    `${await output(["bash", "-c", ". setup/common.sh; debian_package docker-registry"])}/usr/bin/docker-registry`;
  const config = join(folder, "config.yml");
  writeFileSync(
    config,
    JSON.stringify({ version: 0.1, storage: { filesystem: { rootdirectory: folder } }, http: { addr: REGISTRY } }),
  );
  registry = Bun.spawn([program, "serve", config], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  await until("the registry answers", async () => (await fetch(`http://${REGISTRY}/v2/`)).ok);
});

afterAll(async () => {
  registry?.kill();
  await registry?.exited;
  rmSync(folder, { recursive: true });
  await removeImages();
});

test("make tag names both images, as latest and as the version", async () => {
  const tagged = await output(["make", "tag"], stack.env);
  expect(tagged.split("\n")).toEqual(SERVICES.flatMap((name) => TAGS.map((tag) => `docker.io/${OWN}/${name}:${tag}`)));
  for (const name of tagged.split("\n"))
    expect((await inspect<Image>(name)).Config.Labels.hub_url).toStartWith("docker.io/");
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
