// Where two builds of the same thing differ.
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { Parser, type ReadEntry } from "tar";
import { type Layout, type PlatformImage, readBlob, readLayerTar } from "./oci-layout.ts";

/** What is told of one platform. */
export interface Comparison {
  readonly platform: string;
  readonly digests: readonly [string, string];
  /** One line each; empty if the images are the same to the byte. */
  readonly differences: readonly string[];
}

/** So many differences of a platform are told. */
const MAX_DIFFERENCES = 10;

/** Compares the images of all platforms that are in either. */
export async function compareLayouts(first: Layout, second: Layout): Promise<Comparison[]> {
  const platforms = [...new Set([...first.images, ...second.images].map(({ platform }) => platform))];
  return Promise.all(
    platforms.map(async (platform) => {
      const of = ({ images }: Layout) => images.find((image) => image.platform === platform);
      const [a, b] = [of(first), of(second)];
      const digests = [a?.descriptor.digest ?? "none", b?.descriptor.digest ?? "none"] as const;
      if (digests[0] === digests[1]) return { platform, digests, differences: [] };
      const differences =
        a && b ? await compareImages(first.folder, a, second.folder, b) : ["one of them has no image"];
      // Other digests are a difference, even if nothing here can name it.
      if (differences.length === 0) differences.push("manifest: the same fields, written differently");
      return { platform, digests, differences: differences.slice(0, MAX_DIFFERENCES) };
    }),
  );
}

/** Where two indexes differ that name the same images. Clients choose by what stands beside a digest. */
export async function compareIndexes(first: Layout, second: Layout): Promise<string[]> {
  if (first.index.digest === second.index.digest) return [];
  const [a, b] = await Promise.all(
    [first, second].map(async ({ folder, index }) => JSON.parse((await readBlob(folder, index)).toString())),
  );
  const differences = compareValues("index", a, b).slice(0, MAX_DIFFERENCES);
  return differences.length > 0 ? differences : ["index: the same fields, written differently"];
}

async function compareImages(folderA: string, a: PlatformImage, folderB: string, b: PlatformImage): Promise<string[]> {
  const differences = compareValues("configuration", a.config, b.config);
  const count = Math.max(a.manifest.layers.length, b.manifest.layers.length);
  for (let i = 0; i < count; i++) {
    const [layerA, layerB] = [a.manifest.layers[i], b.manifest.layers[i]];
    if (layerA?.digest === layerB?.digest) continue;
    const where = `layer ${i + 1} of ${count}`;
    if (!layerA || !layerB) differences.push(`${where}: only one of them has it`);
    else
      differences.push(...compareTars(where, await readLayerTar(folderA, layerA), await readLayerTar(folderB, layerB)));
  }
  // All that is left are the annotations, and how the layers are described.
  return differences.length > 0 ? differences : compareValues("manifest", a.manifest, b.manifest);
}

/** Compares two JSON values field by field. */
function compareValues(path: string, a: unknown, b: unknown): string[] {
  if (isDeepStrictEqual(a, b)) return [];
  const areObjects = [a, b].every((value) => typeof value === "object" && value !== null);
  if (!areObjects) return [`${path}: ${JSON.stringify(a)}, ${JSON.stringify(b)}`];
  const [left, right] = [a, b] as Record<string, unknown>[];
  const names = [...new Set([...Object.keys(left ?? {}), ...Object.keys(right ?? {})])];
  return names.flatMap((name) => compareValues(`${path}.${name}`, left?.[name], right?.[name]));
}

function compareTars(where: string, a: Uint8Array, b: Uint8Array): string[] {
  const [left, right] = [entriesOf(a), entriesOf(b)];
  const paths = [...new Set([...left.keys(), ...right.keys()])].sort();
  const differences = paths.flatMap((path) => {
    const [one, other] = [left.get(path), right.get(path)];
    if (!one || !other) return [`${where}: ${path} is in one of them only`];
    return compareValues(`${where}: ${path}`, one, other);
  });
  if (differences.length > 0) return differences;
  return Buffer.compare(a, b) === 0
    ? [`${where}: the same tar, compressed differently`]
    : [`${where}: the same files, in another order or with other headers`];
}

/** What a tar says of each file, and the digest of its contents. */
function entriesOf(tar: Uint8Array): Map<string, object> {
  const entries = new Map<string, object>();
  const parser = new Parser({
    strict: true,
    onReadEntry(entry: ReadEntry) {
      const { path, type, mode, uid, gid, size, mtime, linkpath } = entry;
      const hash = createHash("sha256");
      entry.on("data", (chunk: Buffer) => hash.update(chunk));
      entry.on("end", () => {
        const sha256 = hash.digest("hex");
        const time = mtime?.toISOString();
        entries.set(path, { type, mode: octal(mode), uid, gid, size, mtime: time, linkpath, sha256 });
      });
    },
  });
  parser.end(Buffer.from(tar));
  return entries;
}

/** As chmod has it. */
const octal = (mode = 0) => `0${mode.toString(8)}`;
