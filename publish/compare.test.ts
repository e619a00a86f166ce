import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltSource, builtImage, type TarFile } from "../testing/built-images.ts";
import { writeLayout as writeTestLayout } from "../testing/image-layout.ts";
import { compareIndexes, compareLayouts } from "./compare.ts";
import { blobPath, readBlob, readLayout } from "./oci-layout.ts";
import { writeLayout } from "./write-layout.ts";

const root = await mkdtemp(join(tmpdir(), "compare-"));
afterAll(() => rm(root, { recursive: true }));

async function layoutOf(...sources: BuiltSource[]) {
  const folder = await mkdtemp(join(root, "layout-"));
  await writeLayout(folder, "image", sources.map(builtImage));
  return readLayout(folder);
}

/** What is told of the only platform. */
async function differencesOf(first: BuiltSource, second: BuiltSource): Promise<readonly string[]> {
  const [comparison, ...others] = await compareLayouts(await layoutOf(first), await layoutOf(second));
  expect(others).toEqual([]);
  expect(comparison?.digests[0]).not.toBe(comparison?.digests[1] ?? "");
  return comparison?.differences ?? [];
}

/** The same without what follows from each change of a layer: its digest in the configuration. */
const filesDiffer = async (first: readonly TarFile[], second: readonly TarFile[]) =>
  (await differencesOf({ layers: [first] }, { layers: [second] })).filter((line) => !/\.diff_ids\.0: /.test(line));

test("the same images have no differences", async () => {
  const [comparison] = await compareLayouts(await layoutOf({}), await layoutOf({}));
  expect(comparison?.differences).toEqual([]);
  expect(comparison?.digests[0]).toBe(comparison?.digests[1] ?? "");
});

test("a field of the configuration is named, with both values", async () => {
  const config = (Env: string[], more: object = {}) => ({ config: { Env, User: "1", ...more } });
  expect(await differencesOf(config(["A=1", "B=1"]), config(["A=1", "B=2"], { WorkingDir: "/x" }))).toEqual([
    'configuration.config.Env.1: "B=1", "B=2"',
    'configuration.config.WorkingDir: "/", "/x"',
  ]);
});

const A = { path: "etc/a", content: "1" };
const B = { path: "etc/b", content: "1" };
const sha256 = /^layer 1 of 1: etc\/a\.sha256: "[0-9a-f]{64}", "[0-9a-f]{64}"$/;

test("a file with other contents is named", async () => {
  expect(await filesDiffer([A, B], [{ ...A, content: "2" }, B])).toEqual([expect.stringMatching(sha256)]);
  expect(await filesDiffer([A, B], [{ ...A, content: "22" }, B])).toEqual([
    "layer 1 of 1: etc/a.size: 1, 2",
    expect.stringMatching(sha256),
  ]);
});

test("a file with another mode is named", async () => {
  expect(await filesDiffer([A, B], [{ ...A, mode: 0o755 }, B])).toEqual(['layer 1 of 1: etc/a.mode: "0644", "0755"']);
});

test("a file with another time is named", async () => {
  expect(await filesDiffer([A, B], [{ ...A, mtime: 5 }, B])).toEqual([
    'layer 1 of 1: etc/a.mtime: "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:05.000Z"',
  ]);
});

test("a file that only one of them has is named", async () => {
  const line = "layer 1 of 1: etc/b is in one of them only";
  expect(await filesDiffer([A, B], [A])).toEqual([line]);
  expect(await filesDiffer([A], [A, B])).toEqual([line]);
});

test("another order of the files is said to be that", async () => {
  expect(await filesDiffer([A, B], [B, A])).toEqual([
    "layer 1 of 1: the same files, in another order or with other headers",
  ]);
});

test("a layer that only one of them has is named", async () => {
  const differences = await differencesOf({ layers: [[A]] }, { layers: [[A], [B]] });
  expect(differences).toContain("layer 2 of 2: only one of them has it");
});

test("another compression of the same tar is said to be that", async () => {
  const compressed = async (compression: "gzip" | "zstd") => {
    const folder = await mkdtemp(join(root, "compressed-"));
    await writeTestLayout(folder, [{ platform: "linux/amd64", layers: [{ files: { a: "1" }, compression }] }]);
    return readLayout(folder);
  };
  const [comparison] = await compareLayouts(await compressed("gzip"), await compressed("zstd"));
  expect(comparison?.differences).toEqual(["layer 1 of 1: the same tar, compressed differently"]);
});

test("an annotation is named", async () => {
  const base = (name: string) => ({ base: { name, digest: `sha256:${"b".repeat(64)}` } });
  expect(await differencesOf(base("one"), base("other"))).toEqual([
    'manifest.annotations.org.opencontainers.image.base.name: "one", "other"',
  ]);
});

test("other bytes of a manifest with the same fields are no equal images", async () => {
  const [first, second] = [await layoutOf({}), await layoutOf({})];
  const images = second.images.map((image) => ({
    ...image,
    descriptor: { ...image.descriptor, digest: `sha256:${"0".repeat(64)}` },
  }));
  const [comparison] = await compareLayouts(first, { ...second, images });
  expect(comparison?.differences).toEqual(["manifest: the same fields, written differently"]);
});

test("each platform is compared; one that only one of them has is told", async () => {
  const arm64 = { platform: "linux/arm64" } as const;
  const comparisons = await compareLayouts(await layoutOf({}, arm64), await layoutOf({}));
  expect(comparisons.map(({ platform, differences }) => ({ platform, differences }))).toEqual([
    { platform: "linux/amd64", differences: [] },
    { platform: "linux/arm64", differences: ["one of them has no image"] },
  ]);
});

test("an index is more than the images that it names", async () => {
  const [first, second] = [await layoutOf({}), await layoutOf({})];
  expect(await compareIndexes(first, second)).toEqual([]);
  const index = JSON.parse((await readBlob(first.folder, first.index)).toString());
  Object.assign(index.manifests[0].platform, { variant: "v3" });
  const bytes = Buffer.from(JSON.stringify(index));
  const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
  await Bun.write(blobPath(second.folder, digest), bytes);
  const changed = { ...second, index: { ...second.index, digest, size: bytes.length } };
  expect(await compareIndexes(first, changed)).toEqual(['index.manifests.0.platform.variant: undefined, "v3"']);
});

test("many differences are cut off", async () => {
  const many = Array.from({ length: 50 }, (_, i) => ({ path: `etc/${i}` }));
  expect(
    await differencesOf({ layers: [many] }, { layers: [many.map((file) => ({ ...file, mode: 1 }))] }),
  ).toHaveLength(10);
});
