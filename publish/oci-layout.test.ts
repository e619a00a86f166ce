import { afterAll, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeLayout } from "../testing/image-layout.ts";
import { blobPath, type Layout, readLayerTar, readLayout } from "./oci-layout.ts";

const root = await mkdtemp(join(tmpdir(), "layouts-"));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(root, "layout-"));
  await writeLayout(folder, [
    {
      platform: "linux/amd64",
      layers: [
        { files: { "etc/a": "a" }, compression: "gzip" },
        { files: { b: "b" }, compression: "zstd" },
        { files: { c: "c" } },
      ],
      labels: { "org.opencontainers.image.version": "1.2.3" },
    },
    { platform: "linux/arm64", layers: [{ files: { "etc/a": "arm" }, compression: "gzip" }] },
  ]);
});

afterAll(() => rm(root, { recursive: true }));

/** Changes a JSON file of the layout without a change of its name. */
async function change(file: string, edit: (value: Record<string, unknown>) => void): Promise<void> {
  const value = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
  edit(value);
  await writeFile(file, JSON.stringify(value));
}

const first = async (): Promise<Layout["images"][number]> => {
  const [image] = (await readLayout(folder)).images;
  if (!image) throw new Error("no image");
  return image;
};

test("both platforms are read, with labels and layers", async () => {
  const { images, index } = await readLayout(folder);
  expect(index.mediaType).toBe("application/vnd.oci.image.index.v1+json");
  expect(images.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
  expect(images.map(({ manifest }) => manifest.layers.length)).toEqual([3, 1]);
  expect(images[0]?.config.config.Labels).toEqual({ "org.opencontainers.image.version": "1.2.3" });
});

test("layers are read with gzip, with zstd and uncompressed", async () => {
  const { manifest } = await first();
  const tars = await Promise.all(manifest.layers.map((layer) => readLayerTar(folder, layer)));
  // ustar's magic is at offset 257 of the first header.
  for (const tar of tars) expect(Buffer.from(tar).toString("latin1", 257, 262)).toBe("ustar");
});

test("a blob that is not its descriptor's is refused by file and digest", async () => {
  const { manifest, descriptor } = await first();
  const [layer] = manifest.layers;
  if (!layer) throw new Error("no layer");
  const file = blobPath(folder, layer.digest);
  const bytes = await readFile(file);
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  await writeFile(file, bytes);
  await expect(readLayerTar(folder, layer)).rejects.toThrow(new RegExp(`${file}: its digest is sha256:[0-9a-f]{64}$`));
  await writeFile(file, bytes.subarray(1));
  await expect(readLayerTar(folder, layer)).rejects.toThrow(
    `${file}: ${layer.size - 1} bytes, but the descriptor says`,
  );
  await rm(file);
  await expect(readLayerTar(folder, layer)).rejects.toThrow(`${file}: cannot be read`);
  await change(blobPath(folder, descriptor.digest), (value) => {
    value.schemaVersion = 3;
  });
  await expect(readLayout(folder)).rejects.toThrow(`${blobPath(folder, descriptor.digest)}: its digest is`);
});

test("a layer is decompressed only as its media type says", async () => {
  const { manifest } = await first();
  const [layer] = manifest.layers;
  if (!layer) throw new Error("no layer");
  const as = (mediaType: string) => readLayerTar(folder, { ...layer, mediaType });
  await expect(as("application/vnd.docker.image.rootfs.diff.tar.gzip")).resolves.toBeDefined();
  await expect(as("application/vnd.oci.image.layer.v1.tar+zstd")).rejects.toThrow("not compressed with zstd");
  await expect(as("application/vnd.oci.image.layer.v1.tar+xz")).rejects.toThrow("unknown media type");
});

test("an index of several images is needed, not several of them or none", async () => {
  const index = join(folder, "index.json");
  await change(index, (value) => {
    value.manifests = [...(value.manifests as unknown[]), ...(value.manifests as unknown[])];
  });
  await expect(readLayout(folder)).rejects.toThrow(`${index}: `);
  await writeFile(index, "{");
  await expect(readLayout(folder)).rejects.toThrow(`${index}: not JSON`);
  await rm(join(folder, "oci-layout"));
  await expect(readLayout(folder)).rejects.toThrow("oci-layout: cannot be read");
});

test("two images for one platform are refused", async () => {
  const twice = await mkdtemp(join(root, "twice-"));
  const image = { platform: "linux/amd64", layers: [] } as const;
  await writeLayout(twice, [image, { ...image, labels: { a: "b" } }]);
  await expect(readLayout(twice)).rejects.toThrow("two images for linux/amd64");
});

test.each(["sha256:../../../etc/passwd", "sha512:00", "sha256:", `sha256:${"A".repeat(64)}`])(
  "%p does not name a blob",
  (digest) => {
    expect(() => blobPath(folder, digest)).toThrow("is not a sha256 digest");
  },
);
