import { afterAll, expect, test } from "bun:test";
import { pathWithTools } from "../testing/publishing-tools.ts";
import { digestOf, reasonOf } from "./registry.ts";

const path = process.env.PATH ?? "";
process.env.PATH = await pathWithTools();

const DIGEST = `sha256:${"0".repeat(64)}`;
/** Answers with the status that the name of the repository is. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch({ url }) {
    const status = Number(/\/v2\/(\d+)\//.exec(url)?.[1]);
    const found = {
      "Docker-Content-Digest": DIGEST,
      "Content-Length": "2",
      "Content-Type": "application/vnd.oci.image.index.v1+json",
    };
    return new Response(status === 200 ? "{}" : null, { status, ...(status === 200 ? { headers: found } : {}) });
  },
});
const image = (status: number) => `127.0.0.1:${server.port}/${status}/api-backend:1.0.0`;

afterAll(async () => {
  process.env.PATH = path;
  await server.stop(true);
});

test("an image that is there has its digest, and one that is not has none", async () => {
  expect(await digestOf(image(200))).toBe(DIGEST);
  expect(await digestOf(image(404))).toBeUndefined();
});

// Taken for an absent one, it would be overwritten.
test.each([
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [400, "Bad Request"],
])("status %i does not mean that there is no image", async (status, words) => {
  await expect(digestOf(image(status))).rejects.toThrow(
    `127.0.0.1:${server.port} does not tell of ${image(status)}: response status code ${status}: ${words}`,
  );
});

test("a registry that cannot be reached does not mean it either", async () => {
  await expect(digestOf("127.0.0.1:404/a/b:1")).rejects.toThrow("connection refused");
});

test("what ORAS says is told on one line, without its advice and the address it has asked", () => {
  const says = (stderr: string) => reasonOf({ code: 1, stdout: "", stderr });
  expect(says('Error response from registry: denied: access\nUsage: oras\nPlease try "oras login"\n')).toBe(
    "denied: access",
  );
  expect(says('Error: Head "http://127.0.0.1:1/v2/": dial tcp: connection refused\n')).toBe(
    "dial tcp: connection refused",
  );
});

test("a crash of ORAS is not shown as a page of its stack", () => {
  const stderr =
    "panic: sync/atomic: compare and swap of inconsistently typed value into Value\n\ngoroutine 51 [running]:\n";
  expect(reasonOf({ code: 2, stdout: "", stderr })).toBe("it refuses files, perhaps for want of room");
});
