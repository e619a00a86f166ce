// What a rebuild does not find out by itself: whether the fields that nothing is built from are true. Other programs
// than this one read them.
import { isDeepStrictEqual } from "node:util";
import * as v from "valibot";
import { Refusal } from "../host/refusal.ts";
import type { Claims } from "./claims.ts";
import type { Trust } from "./cosign.ts";
import type { PlatformName } from "./oci-layout.ts";
import { dependenciesOf, ProvenanceSchema } from "./provenance.ts";

/**
 * @param lockfile the sha256 digest of the commit's bun.lock, in hexadecimal digits
 * @throws {Refusal} if the provenance names other dependencies than its parameters do, or a workflow that has not signed
 */
export function checkProvenance(
  provenance: object,
  platform: PlatformName,
  claims: Claims,
  lockfile: string,
  trust: Trust,
): void {
  const { buildDefinition, runDetails } = v.parse(ProvenanceSchema, provenance);
  const { commit, repository, bunImage, runtimeImage, digests } = claims;
  const runtime = { name: runtimeImage, digest: digests.runtime[platform] ?? "" };
  const bases = { bun: { name: bunImage, digest: digests.bun }, runtime: { [platform]: runtime } };
  const expected = dependenciesOf({ commit, platform, bases: bases as never, lockfile }, repository);
  if (!isDeepStrictEqual(buildDefinition.resolvedDependencies, expected))
    throw new Refusal(`the provenance for ${platform} names other dependencies than the build has.`);
  const builder = runDetails.builder.id;
  // Whoever has the key can write the name of any workflow.
  if (!/[#:]own-machine$/.test(builder) && !("identity" in trust && trust.identity === builder))
    throw new Refusal(`the provenance for ${platform} says that ${builder} built it, but that has not signed it.`);
}
