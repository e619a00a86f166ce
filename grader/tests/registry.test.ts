// What the grader asks a real registry, and how it bears with one that limits the rate or fails.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startRegistry } from "../../testing/registry.ts";
import { startFront } from "../../testing/registry-front.ts";
import { whyNotPullable } from "../registry.ts";
import { Skipped } from "../rule.ts";

const IMAGE = "alice/api";
const HEAD = `HEAD /v2/${IMAGE}/manifests/latest`;
const GET = `GET /v2/${IMAGE}/manifests/latest`;

let registry: Awaited<ReturnType<typeof startRegistry>>;
const fronts: ReturnType<typeof startFront>[] = [];

beforeAll(async () => {
  registry = await startRegistry();
  await push(IMAGE);
}, 60_000);
afterAll(async () => {
  await Promise.all(fronts.map((front) => front.stop()));
  await registry.stop();
});

/** Pushes an image without layers, as the OCI Distribution Specification says. */
async function push(name: string) {
  const config = "{}";
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(config).digest("hex")}`;
  const upload = await fetch(`http://${registry.address}/v2/${name}/blobs/uploads/`, { method: "POST" });
  const location = new URL(upload.headers.get("location") ?? "");
  location.searchParams.set("digest", digest);
  const octets = { "content-type": "application/octet-stream" };
  expect((await fetch(location, { method: "PUT", body: config, headers: octets })).status).toBe(201);
  const mediaType = "application/vnd.docker.distribution.manifest.v2+json";
  const description = { mediaType: "application/vnd.docker.container.image.v1+json", size: config.length, digest };
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config: description, layers: [] });
  const url = `http://${registry.address}/v2/${name}/manifests/latest`;
  const put = await fetch(url, { method: "PUT", body: manifest, headers: { "content-type": mediaType } });
  expect(put.status).toBe(201);
}

/** Puts a server in front of the registry. */
function front(respond: (request: Request) => Response | undefined = () => undefined) {
  const started = startFront(registry.address, respond);
  fronts.push(started);
  return { ...started, ask: (image = IMAGE) => whyNotPullable(started.address, image, "latest") };
}

/** Responds in this way first, then as the registry does. */
function first(...responses: Response[]) {
  return () => responses.shift();
}

test("it asks once, with HEAD, however often the answer is wanted", async () => {
  const { ask, requests } = front();
  expect(await Promise.all([ask(), ask()])).toEqual([undefined, undefined]);
  expect(await ask()).toBeUndefined();
  expect(requests).toEqual([HEAD]);
});

test("an image that is not there", async () => {
  const { ask } = front();
  expect((await ask("alice/none"))?.en).toBe("no such image (404)");
});

test.concurrent.each([
  ["429", 429, {}, 300],
  ["429 with seconds to wait", 429, { "retry-after": "1" }, 1300],
  ["429 with a date to wait for", 429, { "retry-after": new Date(0).toUTCString() }, 300],
  ["503", 503, {}, 300],
] as const)("%s: it waits and asks again", async (_, status, headers, minMs) => {
  const { ask, requests } = front(first(new Response("", { status, headers })));
  const start = performance.now();
  expect(await ask()).toBeUndefined();
  expect(performance.now() - start).toBeGreaterThanOrEqual(minMs - 5);
  expect(requests).toEqual([HEAD, HEAD]);
});

test("what it could not be told, it asks the next time", async () => {
  const { ask, requests } = front(first(new Response("", { status: 429, headers: { "retry-after": "3600" } })));
  const refused = ask();
  await expect(refused).rejects.toThrow(Skipped);
  await expect(refused).rejects.toThrow("cannot be reached: HTTP 429");
  expect(await ask()).toBeUndefined();
  expect(requests).toEqual([HEAD, HEAD]);
});

test("it gives up after a few attempts, also to connect", async () => {
  const { ask, requests } = front(() => new Response("", { status: 500 }));
  const nobody = whyNotPullable("127.0.0.1:9", IMAGE, "latest");
  const start = performance.now();
  await Promise.all([
    expect(ask()).rejects.toThrow("cannot be reached: HTTP 500"),
    expect(nobody).rejects.toThrow("127.0.0.1:9 cannot be reached: "),
  ]);
  expect(requests).toEqual([HEAD, HEAD, HEAD, HEAD]);
  expect(performance.now() - start).toBeGreaterThan(3800);
});

test.each([401, 404, 405])("a registry that responds to HEAD with %d", async (status) => {
  const { ask, requests } = front(({ method }) => (method === "HEAD" ? new Response("", { status }) : undefined));
  expect(await ask()).toBeUndefined();
  expect(requests).toEqual([HEAD, GET]);
});

/** A registry that wants a token, as Docker Hub does. */
const withTokens = (token: () => Response) =>
  front(({ url, headers }) => {
    const { pathname, origin } = new URL(url);
    if (pathname === "/token") return token();
    if (headers.get("authorization") === "Bearer secret") return undefined;
    const challenge = `Bearer realm="${origin}/token",service="test",scope="repository:${IMAGE}:pull"`;
    return new Response("", { status: 401, headers: { "www-authenticate": challenge } });
  });

test("with a token", async () => {
  const { ask, requests } = withTokens(() => Response.json({ token: "secret" }));
  expect(await ask()).toBeUndefined();
  expect(requests).toEqual([HEAD, "GET /token", HEAD]);
});

test("without the token, nobody can pull", async () => {
  const { ask } = withTokens(() => new Response("", { status: 403 }));
  expect((await ask())?.en).toBe("the image is not public (401)");
});

test.each([
  ["too long", () => Response.json({ token: "x".repeat(200_000) }), "more than 100000 bytes from 127.0.0.1"],
  ["no JSON", () => new Response("<html>"), "cannot be reached: "],
])("a token response that is %s", async (_, token, message) => {
  await expect(withTokens(token).ask()).rejects.toThrow(message);
});
