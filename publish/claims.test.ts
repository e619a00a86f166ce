import { expect, test } from "bun:test";
import { readClaims } from "./claims.ts";
import { PLATFORMS, type PlatformName } from "./oci-layout.ts";
import { type ProvenanceInputs, provenanceOf } from "./provenance.ts";

const digest = (of: string) => `sha256:${of.repeat(64)}`;
const INPUTS: Omit<ProvenanceInputs, "platform"> = {
  repository: "https://git.example.org/me/tpdocker",
  commit: "0123456789abcdef0123456789abcdef01234567",
  version: "1.2.3",
  service: "api-frontend",
  hubUser: "me",
  bases: {
    bun: { name: "docker.io/oven/bun:1.4.5", digest: digest("a") },
    runtime: {
      "linux/amd64": { name: "gcr.io/distroless/base:nonroot", digest: digest("b") },
      "linux/arm64": { name: "gcr.io/distroless/base:nonroot", digest: digest("c") },
    },
  },
  lockfile: "d".repeat(64),
  builder: { name: "buildah", version: "1.28.2" },
  epoch: 1_790_000_000,
  run: { invocationId: "urn:uuid:00000000-0000-4000-8000-000000000000" },
  startedOn: new Date(0),
  finishedOn: new Date(1),
};

/** What is said of both platforms, with something else for the second. */
function said(other: Partial<ProvenanceInputs> = {}): Map<PlatformName, object> {
  const of = (platform: PlatformName, changed: Partial<ProvenanceInputs>) =>
    provenanceOf({ ...INPUTS, platform, ...changed });
  return new Map<PlatformName, object>([
    ["linux/amd64", of("linux/amd64", {})],
    ["linux/arm64", of("linux/arm64", other)],
  ]);
}

test("what a rebuild needs is read back", () => {
  expect(readClaims(said())).toEqual({
    service: "api-frontend",
    repository: "https://git.example.org/me/tpdocker",
    commit: INPUTS.commit,
    version: "1.2.3",
    hubUser: "me",
    epoch: 1_790_000_000,
    bunImage: "docker.io/oven/bun:1.4.5",
    runtimeImage: "gcr.io/distroless/base:nonroot",
    digests: { bun: digest("a"), runtime: { "linux/amd64": digest("b"), "linux/arm64": digest("c") } },
  });
});

test.each<[string, Partial<ProvenanceInputs>]>([
  ["commits", { commit: "f".repeat(40) }],
  ["versions", { version: "1.2.4" }],
  ["repositories", { repository: "https://git.example.org/you/tpdocker" }],
  ["services", { service: "api-backend" }],
  ["times", { epoch: 1 }],
  ["images with Bun", { bases: { ...INPUTS.bases, bun: { ...INPUTS.bases.bun, digest: digest("e") } } }],
])("different %s for the platforms are refused", (_, changed) => {
  expect(() => readClaims(said(changed))).toThrow(
    "the images for different platforms are not said to be built from the same.",
  );
});

test("what is said of another platform, or of a service that is none, is refused", () => {
  expect(() => readClaims(said({ platform: "linux/amd64" }))).toThrow(
    "the provenance of another image: api-frontend, linux/amd64",
  );
  expect(() => readClaims(said({ service: "api-database" }))).toThrow("the provenance of another image: api-database");
});

/** Changes what is said of each platform. */
function changed(change: (definition: Record<string, Record<string, unknown>>) => void): Map<PlatformName, object> {
  const provenances = structuredClone(said());
  for (const platform of PLATFORMS) change(Object(provenances.get(platform)).buildDefinition);
  return provenances;
}

test("a parameter that the build type does not have is refused, and so is one that is missing", () => {
  const added = changed(({ externalParameters }) => Object.assign(externalParameters ?? {}, { extra: "1" }));
  expect(() => readClaims(added)).toThrow(/the provenance for linux\/amd64: .*extra/s);
  const missing = changed(({ externalParameters }) => delete externalParameters?.commit);
  expect(() => readClaims(missing)).toThrow(/the provenance for linux\/amd64: .*commit/s);
});

test.each([
  ["version", "1.0.0\n✓ the commit builds this image"],
  ["version", "--help"],
  ["hubUser", "me\u001b[2K"],
  ["bunImage", "dir:/etc"],
  ["bunImage", "oci:layout"],
  ["bunImage", "oven/bun:1.4.5"],
  ["runtimeImage", "--authfile=/etc/passwd"],
  ["repository", "ext::sh\u001b[1A"],
  ["commit", "--upload-pack=touch"],
])("%s is refused if it is %j", (name, value) => {
  const hostile = changed(({ externalParameters }) => Object.assign(externalParameters ?? {}, { [name]: value }));
  expect(() => readClaims(hostile)).toThrow("the provenance for linux/amd64: ");
});

test("without the digest of a base image it is refused, and so is nothing at all", () => {
  const without = changed((definition) => {
    const all = definition.resolvedDependencies as unknown as { uri?: string }[];
    Object.assign(definition, { resolvedDependencies: all.filter(({ uri }) => !uri?.includes("distroless")) });
  });
  expect(() => readClaims(without)).toThrow("the provenance for linux/amd64 does not name both base images.");
  expect(() => readClaims(new Map())).toThrow("not said to be built from the same");
});
