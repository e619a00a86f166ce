import { expect, test } from "bun:test";
import * as v from "valibot";
import { type Provenance, type ProvenanceInputs, ProvenanceSchema, provenanceOf } from "./provenance.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const digest = (of: string) => `sha256:${of.repeat(64)}`;

const INPUTS: ProvenanceInputs = {
  repository: "https://git.example.org/me/tpdocker.git",
  commit: COMMIT,
  version: "1.2.3",
  service: "api-backend",
  platform: "linux/arm64",
  hubUser: "me",
  bases: {
    bun: { name: "docker.io/oven/bun:1.4.5", digest: digest("a") },
    runtime: {
      "linux/amd64": { name: "localhost:5000/runtime:amd64", digest: digest("b") },
      "linux/arm64": { name: "registry.example.org/distroless/base:nonroot", digest: digest("c") },
    },
  },
  lockfile: "d".repeat(64),
  builder: { name: "buildah", version: "1.28.2" },
  epoch: 1_790_000_000,
  run: { invocationId: "urn:uuid:1" },
  startedOn: new Date("2026-11-26T20:00:00Z"),
  finishedOn: new Date("2026-11-26T20:01:00Z"),
};
const DOCUMENT = "https://git.example.org/me/tpdocker/blob/HEAD/docs/publishing.md";

test("the parameters are those that the image was built with", () => {
  const { buildType, externalParameters, internalParameters } = provenanceOf(INPUTS).buildDefinition;
  expect(buildType).toBe(`${DOCUMENT}#build-type-1`);
  expect(externalParameters).toEqual({
    repository: "https://git.example.org/me/tpdocker",
    commit: COMMIT,
    version: "1.2.3",
    service: "api-backend",
    platform: "linux/arm64",
    hubUser: "me",
    bunImage: "docker.io/oven/bun:1.4.5",
    runtimeImage: "registry.example.org/distroless/base:nonroot",
  });
  expect(internalParameters).toEqual({
    builder: "buildah",
    builderVersion: "1.28.2",
    SOURCE_DATE_EPOCH: "1790000000",
  });
});

test("what the build took in has its digest", () => {
  expect(provenanceOf(INPUTS).buildDefinition.resolvedDependencies).toEqual([
    { uri: `git+https://git.example.org/me/tpdocker@${COMMIT}`, digest: { gitCommit: COMMIT } },
    { name: "bun.lock", digest: { sha256: "d".repeat(64) } },
    { uri: "pkg:docker/oven/bun@1.4.5", digest: { sha256: "a".repeat(64) } },
    {
      uri: "pkg:docker/distroless/base@nonroot?platform=linux%2Farm64&repository_url=registry.example.org",
      digest: { sha256: "c".repeat(64) },
    },
  ]);
});

test.each([
  ["localhost:5000/runtime:amd64", "pkg:docker/runtime@amd64?repository_url=localhost%3A5000"],
  ["localhost/tpdocker-standin/bun:1", "pkg:docker/tpdocker-standin/bun@1?repository_url=localhost"],
  ["oven/bun", "pkg:docker/oven/bun"],
  [`debian:13@${digest("e")}`, "pkg:docker/debian@13"],
])("the base image %s is named %s", (name, uri) => {
  const bases = { ...INPUTS.bases, bun: { name, digest: digest("a") } };
  const { resolvedDependencies } = provenanceOf({ ...INPUTS, bases }).buildDefinition;
  expect(resolvedDependencies).toContainEqual({ uri, digest: { sha256: "a".repeat(64) } });
});

test("an unknown repository is not named", () => {
  const { repository: _, ...inputs } = INPUTS;
  const { buildDefinition, runDetails } = provenanceOf(inputs);
  expect(buildDefinition.externalParameters).not.toHaveProperty("repository");
  expect(buildDefinition.resolvedDependencies).toContainEqual({ name: "source", digest: { gitCommit: COMMIT } });
  expect([buildDefinition.buildType, runDetails.builder.id].join()).not.toContain("undefined");
});

test("one's own machine and a workflow are different builders", () => {
  const workflow = "https://github.com/me/tpdocker/.github/workflows/push.yml@refs/heads/main";
  const builderOf = (run: ProvenanceInputs["run"]) => provenanceOf({ ...INPUTS, run }).runDetails;
  expect(builderOf({ invocationId: "1" }).builder.id).toBe(`${DOCUMENT}#own-machine`);
  expect(builderOf({ invocationId: "1", workflow }).builder.id).toBe(workflow);
  expect(builderOf({ invocationId: "1" }).metadata).toEqual({
    invocationId: "1",
    startedOn: "2026-11-26T20:00:00.000Z",
    finishedOn: "2026-11-26T20:01:00.000Z",
  });
});

const WRONG: [string, Partial<ProvenanceInputs>, string][] = [
  ["a changed tree", { commit: `${COMMIT}-dirty` }, "hex digits"],
  ["a short commit", { commit: "0123456" }, "hex digits"],
  ["a source that is no repository", { repository: "tpdocker" }, "not an https URL"],
  ["a login in the source", { repository: "https://me:secret@git.example.org/a" }, "contains a login"],
  ["a digest that is none", { lockfile: "" }, "hex digits"],
  ["an end before the start", { finishedOn: new Date(0) }, "finished before it started"],
];

test.each(WRONG)("%s is refused", (_, inputs, message) => {
  expect(() => provenanceOf({ ...INPUTS, ...inputs })).toThrow(message);
  if (inputs.repository) expect(() => provenanceOf({ ...INPUTS, ...inputs })).not.toThrow("secret");
});

// Each is against a rule of https://slsa.dev/spec/v1.1/provenance or of in-toto's resource descriptor.
const BROKEN: [string, (provenance: Provenance) => unknown][] = [
  ["without a build definition", ({ runDetails }) => ({ runDetails })],
  ["without run details", ({ buildDefinition }) => ({ buildDefinition })],
  ["with a build type that is no URI", (it) => set(it, "buildDefinition.buildType", "make push")],
  ["without external parameters", (it) => set(it, "buildDefinition.externalParameters", undefined)],
  ["with an unknown external parameter", (it) => set(it, "buildDefinition.externalParameters.flags", "-x")],
  ["with a dependency that nothing identifies", (it) => set(it, "buildDefinition.resolvedDependencies.1", {})],
  [
    "with a digest in capitals",
    (it) => set(it, "buildDefinition.resolvedDependencies.1.digest.sha256", "D".repeat(64)),
  ],
  ["without a builder", (it) => set(it, "runDetails.builder", undefined)],
  ["with a builder that is no URI", (it) => set(it, "runDetails.builder.id", "my machine")],
  ["with a local time", (it) => set(it, "runDetails.metadata.startedOn", "2026-11-26T20:00:00+01:00")],
];

/** A copy with one field changed; numbers are positions in a list. */
function set(provenance: Provenance, path: string, value: unknown): unknown {
  const copy = structuredClone(provenance) as unknown as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, copy);
  parent[last] = value;
  return copy;
}

test.each(BROKEN)("provenance %s is not valid", (_, breakIt) => {
  const provenance = provenanceOf(INPUTS);
  expect(v.is(ProvenanceSchema, provenance)).toBeTrue();
  expect(v.is(ProvenanceSchema, breakIt(provenance))).toBeFalse();
});

test("the page that the build type names explains each parameter, and has that passage and the builder's", async () => {
  const page = await Bun.file("docs/publishing.md").text();
  const { externalParameters, internalParameters } = provenanceOf(INPUTS).buildDefinition;
  for (const name of Object.keys({ ...externalParameters, ...internalParameters }))
    expect(page).toContain(`| \`${name}\` |`);
  for (const heading of ["### Build type 1", "### Own machine"]) expect(page).toContain(`\n${heading}\n`);
});
