// Small images in the OCI image layout.

import { createHash } from "node:crypto";
import { link, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { create } from "tar";

export interface LayerSource {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** The files that are hard links to other ones. */
  readonly links?: Readonly<Record<string, string>>;
  readonly compression?: "gzip" | "zstd";
}

export interface ImageSource {
  readonly platform: `linux/${string}`;
  readonly layers: readonly LayerSource[];
  readonly labels?: Readonly<Record<string, string>>;
}

const OCI = "application/vnd.oci.image";
const sha256 = (bytes: Uint8Array) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Writes an image index with these images to an empty folder. */
export async function writeLayout(folder: string, images: readonly ImageSource[]): Promise<void> {
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
  const blob = async (mediaType: string, bytes: Uint8Array) => {
    const digest = sha256(bytes);
    await writeFile(join(folder, "blobs", ...digest.split(":")), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (mediaType: string, value: unknown) => blob(mediaType, Buffer.from(JSON.stringify(value)));
  const manifests = [];
  for (const { platform, layers, labels = {} } of images) {
    const [os, architecture] = platform.split("/");
    const tars = await Promise.all(layers.map(tarOf));
    const config = {
      created: "1970-01-01T00:00:00Z",
      os,
      architecture,
      config: { Labels: labels },
      rootfs: { type: "layers", diff_ids: tars.map(sha256) },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: `${OCI}.manifest.v1+json`,
      config: await json(`${OCI}.config.v1+json`, config),
      layers: await Promise.all(
        tars.map((tar, at) => {
          const compression = layers[at]?.compression;
          if (compression === undefined) return blob(`${OCI}.layer.v1.tar`, tar);
          const bytes = compression === "gzip" ? gzipSync(tar) : zstdCompressSync(tar);
          return blob(`${OCI}.layer.v1.tar+${compression}`, bytes);
        }),
      ),
    };
    manifests.push({ ...(await json(manifest.mediaType, manifest)), platform: { os, architecture } });
  }
  const index = await json(`${OCI}.index.v1+json`, { schemaVersion: 2, manifests });
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [index] }));
  await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}

async function tarOf({ files, links = {} }: LayerSource): Promise<Buffer> {
  const work = await mkdtemp(join(tmpdir(), "layer-"));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(work, path)), { recursive: true });
      await writeFile(join(work, path), content);
    }
    for (const [path, target] of Object.entries(links)) await link(join(work, target), join(work, path));
    // The asynchronous one fails at a hard link under Bun 1.4.5 (tar 7.5.23).
    return create({ cwd: work, sync: true, mtime: new Date(0) }, ["."]).read() ?? Buffer.alloc(0);
  } finally {
    await rm(work, { recursive: true });
  }
}
