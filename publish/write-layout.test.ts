import { afterAll, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type BuiltSource, builtImage, tarOf } from "../testing/built-images.ts";
import { blobPath, type Layout, readBlob, readLayout } from "./oci-layout.ts";
import { writeLayout } from "./write-layout.ts";

const root = await mkdtemp(join(tmpdir(), "write-layout-"));
afterAll(() => rm(root, { recursive: true }));

async function layoutOf(...sources: BuiltSource[]): Promise<Layout> {
  const folder = await mkdtemp(join(root, "layout-"));
  await writeLayout(folder, "1.2.3", sources.map(builtImage));
  return readLayout(folder);
}
const digestOf = async (...sources: BuiltSource[]) => (await layoutOf(...sources)).index.digest;

const json = async ({ folder }: Layout, digest: string) => JSON.parse(await readFile(blobPath(folder, digest), "utf8"));

test("the same images make the same blobs, in any folder; others make others", async () => {
  const both = [{}, { platform: "linux/arm64" }] as const;
  const layouts = [await layoutOf(...both), await layoutOf(...both)];
  const blobs = layouts.map(({ folder }) => readdir(join(folder, "blobs", "sha256")));
  expect((await blobs[0])?.sort()).toEqual((await blobs[1])?.sort() ?? []);
  expect(layouts[0]?.index).toEqual(layouts[1]?.index as Layout["index"]);
  expect(await digestOf({ layers: [[{ path: "etc/a", content: "2" }]] }, both[1])).not.toBe(
    layouts[0]?.index.digest ?? "",
  );
});

test("an index, its images and their layers have the types of OCI's specification", async () => {
  const layout = await layoutOf({}, { platform: "linux/arm64" });
  const top = JSON.parse(await readFile(join(layout.folder, "index.json"), "utf8"));
  expect(top.manifests).toHaveLength(1);
  expect(top.manifests[0].annotations).toEqual({ "org.opencontainers.image.ref.name": "1.2.3" });
  const index = await json(layout, layout.index.digest);
  expect(index.mediaType).toBe("application/vnd.oci.image.index.v1+json");
  expect(index.manifests.map(({ platform }: { platform: object }) => platform)).toEqual([
    { os: "linux", architecture: "amd64" },
    { os: "linux", architecture: "arm64" },
  ]);
  for (const { descriptor } of layout.images) {
    const manifest = await json(layout, descriptor.digest);
    expect(manifest).toMatchObject({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json" },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" }],
      annotations: {
        "org.opencontainers.image.base.name": "registry.example.org/base:1",
        "org.opencontainers.image.base.digest": `sha256:${"a".repeat(64)}`,
      },
    });
  }
});

const CONFIG = {
  User: "65532",
  Env: ["A=1"],
  Entrypoint: ["/api-backend"],
  Labels: { b: "2", a: "1" },
  Healthcheck: { Test: ["CMD", "/api-backend", "healthcheck"], Interval: 5e9 },
};

test("names of hosts and containers, and what only builders know, are left out", async () => {
  const builders = { Hostname: "buildhost", Domainname: "example.org", Image: "sha256:1", OnBuild: null, Tty: false };
  const more = {
    container: "4f1c",
    docker_version: "20.10",
    author: "me",
    container_config: { Hostname: "buildhost" },
  };
  const history = [{ created: "1970-01-01T00:00:00Z", created_by: "COPY", comment: "a builder", author: "me" }];
  const layout = await layoutOf({ config: { ...CONFIG, ...builders }, more: { ...more, history } });
  const [image] = layout.images;
  const config = await json(layout, image?.manifest.config.digest ?? "");
  expect(config).toEqual({
    created: "1970-01-01T00:00:00Z",
    architecture: "amd64",
    os: "linux",
    // BuildKit writes the default, Buildah does not.
    config: { ...CONFIG, WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [expect.any(String)] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "COPY" }],
  });
});

test("fields without a value, and another order of them, change nothing", async () => {
  const plain = await digestOf({ config: CONFIG });
  const empty = { Cmd: null, Volumes: {}, ExposedPorts: undefined, WorkingDir: "", StopSignal: "" };
  expect(await digestOf({ config: { ...empty, ...CONFIG } })).toBe(plain);
  const turned = { ...CONFIG, Labels: { a: "1", b: "2" } };
  expect(await digestOf({ config: Object.fromEntries(Object.entries(turned).reverse()) })).toBe(plain);
  expect(await digestOf({ config: { ...CONFIG, Entrypoint: ["/b"] } })).not.toBe(plain);
});

test("a layer is compressed to the same bytes each time, which name no time, file or system", async () => {
  const layers = [[{ path: "etc/a", content: "some text, some text, ".repeat(1000) }]];
  const compressed = async () => {
    const layout = await layoutOf({ layers });
    const [layer] = layout.images[0]?.manifest.layers ?? [];
    if (!layer) throw new Error("no layer");
    return readBlob(layout.folder, layer);
  };
  const [first, second] = [await compressed(), await compressed()];
  expect(first.equals(second)).toBe(true);
  expect(gunzipSync(first).equals(tarOf(layers[0] ?? []))).toBe(true);
  expect(first.length).toBeLessThan(1000);
  // The header of RFC 1952: no flags, so no file name; no time.
  expect([...first.subarray(3, 8)]).toEqual([0, 0, 0, 0, 0]);
});
