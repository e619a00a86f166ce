import { createHash } from "node:crypto";
import { posix } from "node:path";
import { Parser, type ReadEntry } from "tar";
import { blobPath, type PlatformImage, readLayerTar, sha256Of } from "./oci-layout.ts";

/** The regular files of an image, by their paths without a leading slash. */
export type ImageFiles = ReadonlyMap<string, Buffer>;

/**
 * What a container of the image sees: its layers one above the other, as in
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md
 *
 * @throws {Error} with the layer's file, if it is damaged, or not the one that the image's configuration names
 */
export async function readImageFiles(folder: string, image: PlatformImage): Promise<ImageFiles> {
  const files = new Map<string, Buffer>();
  for (const [at, layer] of image.manifest.layers.entries()) {
    const tar = await readLayerTar(folder, layer);
    const id = sha256Of(tar);
    const expected = image.config.rootfs.diff_ids[at];
    if (id !== expected) throw new Error(`${blobPath(folder, layer.digest)}: its tar is ${id}, not ${expected}`);
    await addLayer(files, tar).catch((error: Error) => {
      throw new Error(`${blobPath(folder, layer.digest)}: ${error.message}`);
    });
  }
  return files;
}

/** A file's digest in hexadecimal digits. */
export const digestOf = (algorithm: "md5" | "sha256", bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest("hex");

/** A name with this prefix removes the file of that name from the layers below. */
const WHITEOUT = ".wh.";
/** This name removes all that the layers below have in its folder. */
const OPAQUE = ".wh..wh..opq";

async function addLayer(files: Map<string, Buffer>, tar: Uint8Array): Promise<void> {
  const below = [...files.keys()];
  const hide = (path: string) => {
    for (const file of below) if (file === path || file.startsWith(`${path}/`)) files.delete(file);
  };
  const added = new Map<string, Buffer>();
  for (const { path, type, linkpath, bytes } of await entriesOf(tar)) {
    const name = posix.basename(path);
    const folder = posix.dirname(path);
    if (name === OPAQUE) for (const file of below) if (inFolder(file, folder)) files.delete(file);
    if (name === OPAQUE) continue;
    if (name.startsWith(WHITEOUT)) {
      hide(posix.join(folder, name.slice(WHITEOUT.length)));
      continue;
    }
    if (type !== "Directory") hide(path);
    if (type === "File" || type === "OldFile" || type === "ContiguousFile") added.set(path, bytes);
    if (type === "Link") added.set(path, linked(path, added.get(linkpath) ?? files.get(linkpath)));
  }
  for (const [path, bytes] of added) files.set(path, bytes);
}

const inFolder = (file: string, folder: string) => folder === "." || file.startsWith(`${folder}/`);

function linked(path: string, target: Buffer | undefined): Buffer {
  if (!target) throw new Error(`the file that ${path} is a hard link to is missing`);
  return target;
}

interface Entry {
  readonly path: string;
  readonly type: ReadEntry["type"];
  readonly linkpath: string;
  readonly bytes: Buffer;
}

async function entriesOf(tar: Uint8Array): Promise<Entry[]> {
  const entries: Promise<Entry>[] = [];
  const parser = new Parser({
    strict: true,
    onReadEntry: (entry) => {
      entries.push(
        entry.concat().then((bytes) => ({
          path: plain(entry.path),
          type: entry.type,
          linkpath: plain(entry.linkpath ?? ""),
          bytes: Buffer.from(bytes),
        })),
      );
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  parser.on("end", resolve);
  parser.on("error", reject);
  parser.end(Buffer.from(tar.buffer, tar.byteOffset, tar.length));
  await promise;
  return Promise.all(entries);
}

/** `./etc/`, `/etc` and `etc` are the same. */
const plain = (path: string) => posix.normalize(path).replace(/^\/+|\/+$/g, "");
