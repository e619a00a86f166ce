// Small images as a builder hands them over, with tars of which each header is known.
import { createHash } from "node:crypto";
import { Header } from "tar";
import type { PlatformName } from "../publish/oci-layout.ts";
import type { BuiltConfig, BuiltImage } from "../publish/write-layout.ts";

/** A file of a layer. */
export interface TarFile {
  readonly path: string;
  readonly content?: string;
  readonly mode?: number;
  /** In seconds. */
  readonly mtime?: number;
}

const BLOCK = 512;

/** A tar with these files, in this order. */
export function tarOf(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  const blocks = files.flatMap(({ path, content = "", mode = 0o644, mtime = 0 }) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(BLOCK);
    const fields = { path, mode, uid: 0, gid: 0, size: bytes.length, mtime: new Date(mtime * 1000) };
    new Header({ ...fields, type: "File" }).encode(header, 0);
    return [header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)];
  });
  return new Uint8Array(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]));
}

/** What differs from an image with one layer, which has one file. */
export interface BuiltSource {
  readonly platform?: PlatformName;
  readonly layers?: readonly (readonly TarFile[])[];
  /** Fields of the configuration for containers. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Other fields of the configuration. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly base?: BuiltImage["base"];
}

export function builtImage(source: BuiltSource = {}): BuiltImage {
  const { platform = "linux/amd64", layers = [[{ path: "etc/a", content: "1" }]], config = { User: "65532" } } = source;
  const tars = layers.map(tarOf);
  const whole: BuiltConfig = {
    created: "1970-01-01T00:00:00Z",
    config,
    rootfs: { type: "layers", diff_ids: tars.map((tar) => `sha256:${createHash("sha256").update(tar).digest("hex")}`) },
    ...source.more,
  };
  const base = source.base ?? { name: "registry.example.org/base:1", digest: `sha256:${"a".repeat(64)}` };
  // All layers are the base's, which are kept as they are.
  const own = { dockerfile: "api-backend/Dockerfile", epoch: 0, baseConfig: whole };
  return { platform, config: whole, layers: tars.map((tar) => async () => tar), base, ...own };
}
