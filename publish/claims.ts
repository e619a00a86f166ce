// What the provenance of an image says that a rebuild needs.
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { Refusal } from "../host/refusal.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { fullName } from "./addresses.ts";
import type { PlatformName } from "./oci-layout.ts";
import { type Provenance, ProvenanceSchema } from "./provenance.ts";

export interface Claims {
  readonly service: ServiceName;
  readonly repository: string | undefined;
  readonly commit: string;
  readonly version: string;
  readonly hubUser: string;
  readonly epoch: number;
  /** Names with tags. */
  readonly bunImage: string;
  readonly runtimeImage: string;
  /** "sha256:…" of the image with Bun, and of the base for each platform. */
  readonly digests: { readonly bun: string; readonly runtime: Readonly<Partial<Record<PlatformName, string>>> };
}

/**
 * Reads the provenance of the images of one index.
 *
 * @throws {Refusal} if one is not as `make push` writes it, or they contradict each other
 */
export function readClaims(provenances: ReadonlyMap<PlatformName, object>): Claims {
  const read = [...provenances].map(([platform, provenance]) => readOne(platform, provenance));
  const [first, ...others] = read;
  if (!first || others.some(({ shared, bun }) => !isDeepStrictEqual([shared, bun], [first.shared, first.bun])))
    throw new Refusal("the images for different platforms are not said to be built from the same.");
  const runtime = Object.fromEntries(read.map(({ platform, runtime }) => [platform, runtime]));
  return { ...first.shared, digests: { bun: first.bun, runtime } };
}

function readOne(platform: PlatformName, provenance: object) {
  const result = v.safeParse(ProvenanceSchema, provenance);
  if (!result.success) throw new Refusal(`the provenance for ${platform}: ${v.summarize(result.issues)}`);
  const { externalParameters, internalParameters, resolvedDependencies } = result.output.buildDefinition;
  const { repository, commit, version, hubUser, bunImage, runtimeImage } = externalParameters;
  const service = SERVICES.find((name) => name === externalParameters.service);
  if (service === undefined || externalParameters.platform !== platform)
    throw new Refusal(`the provenance of another image: ${externalParameters.service}, ${externalParameters.platform}`);
  // Buildah takes "oci:folder" for a folder, and an image without a registry for one of any.
  const partial = [bunImage, runtimeImage].find((name) => fullName(name) !== name);
  if (partial !== undefined) throw new Refusal(`the provenance for ${platform}: ${partial} names no registry.`);
  const epoch = Number(internalParameters.SOURCE_DATE_EPOCH);
  const [bun, runtime] = imagesIn(resolvedDependencies);
  if (bun === undefined || runtime === undefined)
    throw new Refusal(`the provenance for ${platform} does not name both base images.`);
  return {
    platform,
    shared: { service, repository, commit, version, hubUser, epoch, bunImage, runtimeImage },
    bun,
    runtime,
  };
}

/** The digests of the container images, in the order in which provenance.ts writes them. */
const imagesIn = (dependencies: Provenance["buildDefinition"]["resolvedDependencies"]): string[] =>
  dependencies.flatMap(({ uri = "", digest }) =>
    uri.startsWith("pkg:docker/") && digest?.sha256 ? [`sha256:${digest.sha256}`] : [],
  );
