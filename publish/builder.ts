import type { ServiceName } from "../lab/services.ts";
import type { PlatformName } from "./oci-layout.ts";
import type { BuiltImage } from "./write-layout.ts";

/** What decides which bytes an image has. */
export interface BuildInputs {
  readonly service: ServiceName;
  /** A folder with the files of a commit. */
  readonly source: string;
  readonly platforms: readonly PlatformName[];
  /** SOURCE_DATE_EPOCH, in seconds: https://reproducible-builds.org/specs/source-date-epoch/ */
  readonly epoch: number;
  /** The build arguments of the images' labels. */
  readonly labels: Readonly<Record<"HUB_USER" | "SOURCE" | "VERSION" | "REVISION", string>>;
  readonly bases: Bases;
}

export interface Bases {
  readonly bun: BaseImage;
  readonly runtime: Readonly<Record<PlatformName, BaseImage>>;
}

export interface BaseImage {
  /** As the Dockerfiles, .env or the user name it, without a digest. */
  readonly name: string;
  /** "sha256:…", of what is used. */
  readonly digest: string;
  /** What the builder is told. */
  readonly reference: string;
}

/** A program that builds images for several platforms from a Dockerfile. */
export interface Builder {
  /** As "buildah 1.28.2". */
  readonly name: string;
  /**
   * Builds a service, always from the beginning.
   *
   * @param folder an empty one for what it writes; the images' layers are read from it
   * @throws {Refusal} with the end of what the builder printed
   */
  build(inputs: BuildInputs, folder: string): Promise<BuiltImage[]>;
  /** Makes an image of the engine one that can be built on. The answer is its digest. */
  takeFromEngine(name: string): Promise<string>;
  /** Builds a base image from a folder with a Dockerfile. The answer is its digest. */
  buildStandin(folder: string, name: string, platform: PlatformName): Promise<string>;
}
