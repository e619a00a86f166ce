import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { normalizeLayer } from "./layer.ts";
import { blobPath, type Descriptor, type PlatformName, sha256Of } from "./oci-layout.ts";

/** An image as a builder made it. */
export interface BuiltImage {
  readonly platform: PlatformName;
  /** The Dockerfile, as the history names it. */
  readonly dockerfile: string;
  /** When everything was made that is not the base's, in seconds since 1970. */
  readonly epoch: number;
  /** The configuration, in OCI's format or in Docker's, which has more fields. */
  readonly config: BuiltConfig;
  /** The layers' tars, uncompressed, from the lowest one; each is read when it is needed. */
  readonly layers: readonly (() => Promise<Uint8Array<ArrayBuffer>>)[];
  /** Of the image that it is based on. */
  readonly base: { readonly name: string; readonly digest: string };
  /** Of the image that it is based on: its layers and its history are kept as they are. */
  readonly baseConfig: BuiltConfig;
}

export interface BuiltConfig {
  readonly created?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly type: string; readonly diff_ids: readonly string[] };
  readonly history?: readonly Readonly<Record<string, unknown>>[];
}

const MEDIA_TYPE = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

/**
 * Writes images of several platforms as one OCI image layout with one index. The bytes depend on what the images are
 * made of, and on this version of Bun, which compresses the layers; not on the builder, on the time or on the machine.
 *
 * @param folder is made
 * @param name of the index in the layout
 */
export async function writeLayout(folder: string, name: string, images: readonly BuiltImage[]): Promise<void> {
  await mkdir(join(folder, "blobs", "sha256"), { recursive: true });
  const manifests: Descriptor[] = [];
  for (const image of images) manifests.push(await writeImage(folder, image));
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests };
  const descriptor = {
    ...(await writeBlob(folder, MEDIA_TYPE.index, json(index))),
    annotations: { "org.opencontainers.image.ref.name": name },
  };
  const top = { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [descriptor] };
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(folder, "index.json"), JSON.stringify(top));
}

async function writeImage(folder: string, image: BuiltImage): Promise<Descriptor> {
  const { platform, base } = image;
  const [os = "", architecture = ""] = platform.split("/");
  const layers: Descriptor[] = [];
  const diffIds: string[] = [];
  for (const [at, read] of image.layers.entries()) {
    const tar = await read();
    if (at >= image.baseConfig.rootfs.diff_ids.length) normalizeLayer(tar, image.epoch);
    diffIds.push(sha256Of(tar));
    layers.push(await writeBlob(folder, MEDIA_TYPE.layer, compress(tar)));
  }
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: await writeBlob(folder, MEDIA_TYPE.config, json({ architecture, os, ...normalized(image, diffIds) })),
    layers,
    // https://github.com/opencontainers/image-spec/blob/v1.1.0/annotations.md
    annotations: {
      "org.opencontainers.image.base.name": base.name,
      "org.opencontainers.image.base.digest": base.digest,
    },
  };
  return { ...(await writeBlob(folder, MEDIA_TYPE.manifest, json(manifest))), platform: { os, architecture } };
}

/** What the image specification knows of a container's configuration, and Docker's health check. */
const CONFIG_FIELDS = [
  ...["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal"],
  "Healthcheck",
];

/**
 * Leaves out what builders add of themselves: names of containers and of hosts, fields without a value, and each their
 * own words for an instruction in the history.
 */
function normalized({ config: { config }, baseConfig, dockerfile, epoch }: BuiltImage, diffIds: readonly string[]) {
  // BuildKit writes the default.
  const whole = { ...config, WorkingDir: config.WorkingDir || "/" } as BuiltConfig["config"];
  const fields = CONFIG_FIELDS.map((name) => [name, whole[name]] as const).filter(([, value]) => hasValue(value));
  const created = `${new Date(epoch * 1000).toISOString().slice(0, -5)}Z`;
  const own = diffIds.slice(baseConfig.rootfs.diff_ids.length).map(() => ({ created, created_by: dockerfile }));
  const history = (baseConfig.history ?? []).map(({ created, created_by, empty_layer }) => ({
    created,
    created_by,
    empty_layer,
  }));
  return {
    created,
    config: sorted(Object.fromEntries(fields)),
    rootfs: { type: "layers", diff_ids: diffIds },
    history: [...history, ...own],
  };
}

const hasValue = (value: unknown) => !["{}", "[]", '""', "null", undefined].includes(JSON.stringify(value));

/** With the names of all fields in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, field]) => [name, sorted(field)]));
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

/** Every client can read it, Docker Engine 20.10 too. */
const compress = (tar: Uint8Array<ArrayBuffer>) => Bun.gzipSync(tar, { level: 9, library: "libdeflate" });

async function writeBlob(folder: string, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
  const digest = sha256Of(bytes);
  await writeFile(blobPath(folder, digest), bytes);
  return { mediaType, digest, size: bytes.length };
}
