import { PackageURL } from "packageurl-js";
import * as v from "valibot";
import type { PlatformName } from "./oci-layout.ts";
import type { Run } from "./run.ts";

/** A base image as it was used. */
export interface BaseImage {
  /** As written, with its tag. */
  readonly name: string;
  /** `sha256:…` */
  readonly digest: string;
}

/** Only what the publisher has seen for itself may be given here: whoever verifies the image trusts it. */
export interface ProvenanceInputs {
  /** The URL of the git repository; left out if it is not known. */
  readonly repository?: string | undefined;
  readonly commit: string;
  readonly version: string;
  readonly service: string;
  readonly platform: PlatformName;
  readonly hubUser: string;
  readonly bases: { readonly bun: BaseImage; readonly runtime: Readonly<Record<PlatformName, BaseImage>> };
  /** The sha256 digest of bun.lock, in hexadecimal digits. */
  readonly lockfile: string;
  readonly builder: { readonly name: string; readonly version: string };
  /** The time that the image gives for all its files, in seconds. */
  readonly epoch: number;
  readonly run: Run;
  readonly startedOn: Date;
  readonly finishedOn: Date;
}

// They are printed, and builders are told them: no line ends, no sequences that terminals obey, no options.
const Text = v.pipe(v.string(), v.regex(/^[!-~]+( [!-~]+)*$/, "not a line of text"));
const Version = v.pipe(v.string(), v.regex(/^\w[\w.+-]*$/, "not a version"));
const Account = v.pipe(v.string(), v.regex(/^[a-z0-9]+([._-]+[a-z0-9]+)*$/, "not an account"));
const Image = v.pipe(
  v.string(),
  v.regex(
    /^(([a-zA-Z0-9.-]+|\[[0-9a-f:]+\])(:\d+)?\/)?[a-z0-9._-]+(\/[a-z0-9._-]+)*(:\w[\w.-]*)?(@sha256:[0-9a-f]{64})?$/,
    "not an image",
  ),
);
const Uri = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9+.-]*:[!#-;=?-[\]_a-z~]+$/i, "not a URI"));
const hex = (...lengths: number[]) =>
  v.pipe(
    v.string(),
    v.check(
      (text) => /^[0-9a-f]+$/.test(text) && lengths.includes(text.length),
      `not ${lengths.join(" or ")} hex digits`,
    ),
  );
const Commit = hex(40, 64);
const Time = v.pipe(v.string(), v.isoTimestamp(), v.endsWith("Z", "not in UTC"));
/** https://github.com/in-toto/attestation/blob/v1.0/spec/v1/resource_descriptor.md */
const Resource = v.pipe(
  v.object({
    uri: v.exactOptional(Uri),
    name: v.exactOptional(Text),
    digest: v.exactOptional(
      v.strictObject({
        sha256: v.exactOptional(hex(64)),
        gitCommit: v.exactOptional(Commit),
      }),
    ),
  }),
  v.check(({ uri, digest }) => uri !== undefined || Object.keys(digest ?? {}).length > 0, "neither a URI nor a digest"),
);

/** The rules of https://slsa.dev/spec/v1.1/provenance, and of the build type in docs/publishing.md. */
export const ProvenanceSchema = v.object({
  buildDefinition: v.object({
    buildType: Uri,
    // Parameters that the build type does not have must not be accepted.
    externalParameters: v.strictObject({
      repository: v.exactOptional(Uri),
      commit: Commit,
      version: Version,
      service: Text,
      platform: Text,
      hubUser: Account,
      bunImage: Image,
      runtimeImage: Image,
    }),
    internalParameters: v.object({
      builder: Text,
      builderVersion: Text,
      SOURCE_DATE_EPOCH: v.pipe(v.string(), v.regex(/^\d+$/, "not a number of seconds")),
    }),
    resolvedDependencies: v.pipe(v.array(Resource), v.minLength(1)),
  }),
  runDetails: v.object({
    builder: v.object({ id: Uri }),
    metadata: v.object({ invocationId: Text, startedOn: Time, finishedOn: Time }),
  }),
});
/** A predicate of the type https://slsa.dev/provenance/v1 */
export type Provenance = v.InferOutput<typeof ProvenanceSchema>;

/**
 * The SLSA provenance of one platform's image.
 *
 * @throws {Error} for a commit that is none, such as that of a changed tree, and for anything that breaks the rules
 */
export function provenanceOf(inputs: ProvenanceInputs): Provenance {
  const { commit, version, service, platform, hubUser, bases, builder, epoch, run } = inputs;
  const repository = inputs.repository === undefined ? undefined : plainRepository(inputs.repository);
  if (inputs.finishedOn < inputs.startedOn) throw new Error("provenance: the build finished before it started");
  const result = v.safeParse(ProvenanceSchema, {
    buildDefinition: {
      buildType: documentation(repository, "build-type-1"),
      externalParameters: {
        ...(repository === undefined ? {} : { repository }),
        commit,
        version,
        service,
        platform,
        hubUser,
        bunImage: bases.bun.name,
        runtimeImage: bases.runtime[platform].name,
      },
      internalParameters: {
        builder: builder.name,
        builderVersion: builder.version,
        SOURCE_DATE_EPOCH: String(epoch),
      },
      resolvedDependencies: dependenciesOf(inputs, repository),
    },
    runDetails: {
      builder: { id: run.workflow ?? documentation(repository, "own-machine") },
      metadata: {
        invocationId: run.invocationId,
        startedOn: inputs.startedOn.toISOString(),
        finishedOn: inputs.finishedOn.toISOString(),
      },
    },
  });
  if (!result.success) throw new Error(`provenance of ${service}: ${v.summarize(result.issues)}`);
  return result.output;
}

/** What a build takes in, with the digests, as resource descriptors. */
export function dependenciesOf(
  { commit, platform, bases, lockfile }: Pick<ProvenanceInputs, "commit" | "platform" | "bases" | "lockfile">,
  repository: string | undefined,
) {
  const source = repository === undefined ? { name: "source" } : { uri: `git+${repository}@${commit}` };
  return [
    { ...source, digest: { gitCommit: commit } },
    { name: "bun.lock", digest: { sha256: lockfile } },
    imageDependency(bases.bun),
    imageDependency(bases.runtime[platform], platform),
  ];
}

/** A container image, named as BuildKit names it in its own provenance. */
function imageDependency({ name, digest }: BaseImage, platform?: PlatformName) {
  const [, host, path = "", tag] = /^(?:((?:[^/]*[.:][^/]*)|localhost)\/)?([^:@]+)(?::([^@]+))?/.exec(name) ?? [];
  const [image = "", ...folders] = path.split("/").reverse();
  const registry = host === undefined || host === "docker.io" ? {} : { repository_url: host };
  const url = new PackageURL(
    "docker",
    folders.reverse().join("/") || null,
    image,
    tag ?? null,
    { ...registry, ...(platform ? { platform } : {}) },
    null,
  );
  return { uri: url.toString(), digest: { sha256: digest.replace(/^sha256:/, "") } };
}

/** A passage of docs/publishing.md in the repository. */
const documentation = (repository: string | undefined, passage: string) =>
  repository === undefined ? `urn:x-tpdocker:${passage}` : `${repository}/blob/HEAD/docs/publishing.md#${passage}`;

/** The repository's URL as a browser has it: `.git` at its end names the same one. */
function plainRepository(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== "https:") throw new Error(`provenance: the source is not an https URL: ${text}`);
  if (url.username || url.password) throw new Error("provenance: the URL of the source contains a login");
  return url.href.replace(/(?:\.git)?\/*$/, "");
}
