import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import * as v from "valibot";

/** The platforms that are published, as Docker names them. */
export const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;
export type PlatformName = (typeof PLATFORMS)[number];

const Digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/, "not a sha256 digest"));
const Descriptor = v.object({
  mediaType: v.string(),
  digest: Digest,
  /** In bytes. */
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  platform: v.exactOptional(v.object({ os: v.string(), architecture: v.string() })),
  annotations: v.exactOptional(v.record(v.string(), v.string())),
});
const LayoutVersion = v.object({ imageLayoutVersion: v.literal("1.0.0") });
const Top = v.object({ manifests: v.array(Descriptor) });
const Index = v.object({ manifests: v.pipe(v.array(Descriptor), v.minLength(1)) });
const Manifest = v.looseObject({ config: Descriptor, layers: v.array(Descriptor) });
const Config = v.looseObject({
  created: v.exactOptional(v.string()),
  os: v.string(),
  architecture: v.string(),
  config: v.looseObject({ Labels: v.nullish(v.record(v.string(), v.string()), {}) }),
  rootfs: v.object({ diff_ids: v.array(Digest) }),
  history: v.exactOptional(v.array(v.looseObject({ empty_layer: v.exactOptional(v.boolean()) }))),
});

const INDEX_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

/** A reference to a blob, as in https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md */
export type Descriptor = v.InferOutput<typeof Descriptor>;
/** What is read of an image's manifest, and its other fields as they stand. */
export type Manifest = v.InferOutput<typeof Manifest>;
/** What the image specification says of an image's configuration, and Docker's fields as they stand. */
export type ImageConfig = v.InferOutput<typeof Config>;

/** The image for one platform. */
export interface PlatformImage {
  readonly platform: PlatformName;
  /** Of the manifest: its digest is the image's. */
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

export interface Layout {
  readonly folder: string;
  /** Of the image index, which names the image of each platform. */
  readonly index: Descriptor;
  readonly images: readonly PlatformImage[];
}

/**
 * Reads a folder in the layout of https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md that holds one
 * image index. Its layers are read by `readLayerTar` only.
 *
 * @throws {Error} with the file's name, and the digest of a blob, for anything but that
 */
export async function readLayout(folder: string): Promise<Layout> {
  parse(LayoutVersion, await read(join(folder, "oci-layout")), join(folder, "oci-layout"));
  const top = join(folder, "index.json");
  // ORAS also lists the images in it.
  const indexes = parse(Top, await read(top), top).manifests.filter(({ mediaType }) => INDEX_TYPES.includes(mediaType));
  const [index] = indexes;
  if (index === undefined || indexes.length > 1) throw new Error(`${top}: ${indexes.length} image indexes, not one`);
  const { manifests } = await readJson(Index, folder, index);
  const images = await Promise.all(manifests.map((descriptor) => readImage(folder, descriptor)));
  const twice = images.find(({ platform }, at) => images.findIndex((other) => other.platform === platform) !== at);
  if (twice) throw new Error(`${blobPath(folder, index.digest)}: two images for ${twice.platform}`);
  return { folder, index, images };
}

/** The digest of a blob, as descriptors have it: "sha256:…". */
export const sha256Of = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** @throws {Error} if `digest` is no sha256 digest */
export function blobPath(folder: string, digest: string): string {
  if (!v.is(Digest, digest)) throw new Error(`${folder}: ${digest} is not a sha256 digest`);
  return join(folder, "blobs", ...digest.split(":"));
}

/**
 * A blob's bytes.
 *
 * @throws {Error} if they are not those that the descriptor names
 */
export async function readBlob(folder: string, { digest, size }: Descriptor): Promise<Buffer> {
  const file = blobPath(folder, digest);
  const bytes = await read(file);
  if (bytes.length !== size) throw new Error(`${file}: ${bytes.length} bytes, but the descriptor says ${size}`);
  const actual = sha256Of(bytes);
  if (actual !== digest) throw new Error(`${file}: its digest is ${actual}`);
  return bytes;
}

/** The end of a layer's media type: "+gzip" in OCI's, ".gzip" in Docker's. */
const COMPRESSION = /\.tar(?:[+.](gzip|zstd))?$/;
const decompress = { gzip: promisify(gunzip), zstd: promisify(zstdDecompress) };

/**
 * A layer's tar, uncompressed, whichever of gzip and zstd it is compressed with.
 *
 * @throws {Error} if it is damaged, or compressed in another way
 */
export async function readLayerTar(folder: string, layer: Descriptor): Promise<Uint8Array> {
  const file = blobPath(folder, layer.digest);
  const match = COMPRESSION.exec(layer.mediaType);
  if (match === null) throw new Error(`${file}: unknown media type of a layer, ${layer.mediaType}`);
  const bytes = await readBlob(folder, layer);
  const compression = match[1] as keyof typeof decompress | undefined;
  if (compression === undefined) return bytes;
  return decompress[compression](bytes).catch((error: Error) => {
    throw new Error(`${file}: not compressed with ${compression}: ${error.message}`);
  });
}

async function readImage(folder: string, descriptor: Descriptor): Promise<PlatformImage> {
  const file = blobPath(folder, descriptor.digest);
  const manifest = await readJson(Manifest, folder, descriptor);
  const config = await readJson(Config, folder, manifest.config);
  const platform = PLATFORMS.find((name) => name === `${config.os}/${config.architecture}`);
  if (!platform) throw new Error(`${file}: an image for ${config.os}/${config.architecture}`);
  const { os, architecture } = descriptor.platform ?? {};
  if (`${os}/${architecture}` !== platform) {
    throw new Error(`${file}: an image for ${platform}, but the index says ${os}/${architecture}`);
  }
  const ids = config.rootfs.diff_ids.length;
  if (ids !== manifest.layers.length) {
    throw new Error(`${file}: ${manifest.layers.length} layers, but ${ids} in ${manifest.config.digest}`);
  }
  return { platform, descriptor, manifest, config };
}

async function readJson<const Schema extends v.GenericSchema>(schema: Schema, folder: string, blob: Descriptor) {
  return parse(schema, await readBlob(folder, blob), blobPath(folder, blob.digest));
}

function parse<const Schema extends v.GenericSchema>(schema: Schema, json: Buffer, file: string) {
  let value: unknown;
  try {
    value = JSON.parse(json.toString());
  } catch (error) {
    throw new Error(`${file}: not JSON: ${(error as Error).message}`);
  }
  const result = v.safeParse(schema, value);
  if (!result.success) throw new Error(`${file}: ${v.summarize(result.issues)}`);
  return result.output;
}

const read = (file: string): Promise<Buffer> =>
  readFile(file).catch((error: Error) => {
    throw new Error(`${file}: cannot be read: ${error.message}`);
  });
