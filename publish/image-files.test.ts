import { afterAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LayerSource, writeLayout } from "../testing/image-layout.ts";
import { readImageFiles } from "./image-files.ts";
import { readLayout } from "./oci-layout.ts";

const root = await mkdtemp(join(tmpdir(), "image-files-"));
afterAll(() => rm(root, { recursive: true }));

async function imageOf(...layers: LayerSource[]) {
  const folder = await mkdtemp(join(root, "layout-"));
  await writeLayout(folder, [{ platform: "linux/amd64", layers }]);
  const [image] = (await readLayout(folder)).images;
  if (!image) throw new Error("no image");
  return { folder, image };
}

async function filesOf(...layers: LayerSource[]): Promise<Record<string, string>> {
  const { folder, image } = await imageOf(...layers);
  const files = await readImageFiles(folder, image);
  return Object.fromEntries([...files].sort().map(([path, bytes]) => [path, bytes.toString()]));
}

test("an upper layer replaces files of the lower ones", async () => {
  expect(await filesOf({ files: { "etc/a": "1", "etc/b": "1" } }, { files: { "etc/a": "2" } })).toEqual({
    "etc/a": "2",
    "etc/b": "1",
  });
});

test("a whiteout removes a file, or a folder with all below it, of the lower layers only", async () => {
  const lower = { files: { "etc/a": "1", "etc/ab": "1", "opt/x/y": "1", "opt/z": "1" } };
  const upper = { files: { "etc/.wh.a": "", ".wh.opt": "", "opt/new": "2" } };
  expect(await filesOf(lower, upper)).toEqual({ "etc/ab": "1", "opt/new": "2" });
});

test("an opaque whiteout removes what the lower layers have in its folder", async () => {
  const lower = { files: { "opt/a": "1", "opt/b/c": "1", optional: "1" } };
  expect(await filesOf(lower, { files: { "opt/.wh..wh..opq": "", "opt/new": "2" } })).toEqual({
    "opt/new": "2",
    optional: "1",
  });
});

test("a file takes the place of a folder", async () => {
  expect(await filesOf({ files: { "opt/a": "1" } }, { files: { opt: "2" } })).toEqual({ opt: "2" });
});

test("a hard link has its target's content", async () => {
  expect(await filesOf({ files: { a: "1" }, links: { z: "a" } })).toEqual({ a: "1", z: "1" });
});

test("an empty file is one", async () => {
  expect(await filesOf({ files: { empty: "", more: "1" } })).toEqual({ empty: "", more: "1" });
});

test("a layer that the configuration does not name is refused", async () => {
  const { folder, image } = await imageOf({ files: { a: "1" } });
  const config = { ...image.config, rootfs: { diff_ids: [`sha256:${"0".repeat(64)}`] } };
  await expect(readImageFiles(folder, { ...image, config })).rejects.toThrow(/its tar is sha256:.*, not sha256:0000/);
});
