import { expect, test } from "bun:test";
import { checkProvenance } from "./check-provenance.ts";
import { readClaims } from "./claims.ts";
import { type Provenance, type ProvenanceInputs, provenanceOf } from "./provenance.ts";

const digest = (of: string) => `sha256:${of.repeat(64)}`;
const base = { name: "gcr.io/distroless/base:nonroot", digest: digest("b") };
const WORKFLOW = "https://github.com/me/tpdocker/.github/workflows/release.yml@refs/tags/v1.2.3";
const LOCKFILE = "d".repeat(64);
const INPUTS: ProvenanceInputs = {
  repository: "https://git.example.org/me/tpdocker",
  commit: "0123456789abcdef0123456789abcdef01234567",
  version: "1.2.3",
  service: "api-frontend",
  platform: "linux/amd64",
  hubUser: "me",
  bases: {
    bun: { name: "docker.io/oven/bun:1.4.5", digest: digest("a") },
    runtime: { "linux/amd64": base, "linux/arm64": base },
  },
  lockfile: LOCKFILE,
  builder: { name: "buildah", version: "1.28.2" },
  epoch: 1_790_000_000,
  run: { invocationId: "1" },
  startedOn: new Date(0),
  finishedOn: new Date(1),
};
const KEY = { key: "cosign.pub" };

/** Checks the provenance of a build, with something changed in it. */
function check(change: (it: Provenance) => void, inputs: Partial<ProvenanceInputs> = {}, trust: object = KEY) {
  const provenance = structuredClone(provenanceOf({ ...INPUTS, ...inputs }));
  change(provenance);
  const claims = readClaims(new Map([["linux/amd64", provenance]]));
  checkProvenance(provenance, "linux/amd64", claims, LOCKFILE, trust as typeof KEY);
}

test("what a push writes is true", () => {
  expect(() => check(() => {})).not.toThrow();
  const { repository: _, ...unknown } = INPUTS;
  expect(() => check(() => {}, unknown)).not.toThrow();
});

test.each([0, 1, 2, 3])("dependency %d with another digest is refused", (at) => {
  const other = ({ buildDefinition }: Provenance) => {
    const dependency = buildDefinition.resolvedDependencies[at];
    if (dependency) dependency.digest = at === 0 ? { gitCommit: "f".repeat(40) } : { sha256: "f".repeat(64) };
  };
  // The digests of the base images are what is built on.
  if (at < 2) expect(() => check(other)).toThrow("names other dependencies than the build has");
  else expect(() => check(other)).not.toThrow();
});

test("a workflow is believed if it has signed", () => {
  const run = { invocationId: "1", workflow: WORKFLOW };
  const issuer = "https://token.actions.githubusercontent.com";
  expect(() => check(() => {}, { run }, { identity: WORKFLOW, issuer })).not.toThrow();
  expect(() => check(() => {}, { run }, { identity: `${WORKFLOW}4`, issuer })).toThrow("has not signed it");
  expect(() => check(() => {}, { run })).toThrow("has not signed it");
});
