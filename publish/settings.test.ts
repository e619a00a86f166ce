import { expect, test } from "bun:test";
import type { Environment } from "../host/command.ts";
import { readSettings } from "./settings.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
/** What scripts/config prints. */
function settings(registry: string): string {
  const images = ["api-backend", "api-frontend"].map((name) => `${name}.image=${registry}/alice/${name}:latest`);
  return ["HUB_USER=alice", "BUN_IMAGE=oven/bun:1=2", "RUNTIME_IMAGE=gcr.io/distroless/base:nonroot", ...images].join(
    "\n",
  );
}

const ENV: Environment = {
  LAB_SETTINGS: settings("docker.io"),
  LAB_VERSION: "1.2.3",
  LAB_REVISION: COMMIT,
  LAB_EPOCH: "1790000000",
};
const read = (changed: Environment = {}) => readSettings({ ...ENV, ...changed });

test("a commit's settings are read", () => {
  expect(read({ LAB_SOURCE: "https://git.example.org/me/tpdocker" })).toEqual({
    repositories: { "api-backend": "docker.io/alice/api-backend", "api-frontend": "docker.io/alice/api-frontend" },
    registry: "docker.io",
    account: "alice",
    labels: {
      HUB_USER: "alice",
      SOURCE: "https://git.example.org/me/tpdocker",
      VERSION: "1.2.3",
      REVISION: COMMIT,
    },
    source: "https://git.example.org/me/tpdocker",
    commit: COMMIT,
    isDirty: false,
    epoch: 1_790_000_000,
    bunImage: "docker.io/oven/bun:1=2",
    runtimeImage: "gcr.io/distroless/base:nonroot",
    allowStandins: false,
    force: false,
  });
});

test("a registry may have a group's path; without a repository the source is the account's page", () => {
  const { repositories, registry, labels, source } = read({
    LAB_SETTINGS: settings("registry.example.org:5000/group"),
    LAB_SOURCE: "",
  });
  expect(repositories["api-backend"]).toBe("registry.example.org:5000/group/alice/api-backend");
  expect(registry).toBe("registry.example.org:5000/group");
  expect(labels.SOURCE).toBe("https://hub.docker.com/u/alice");
  expect(source).toBeUndefined();
});

test("a changed tree has another version, and so has one without a commit", () => {
  const dirty = read({ LAB_REVISION: `${COMMIT}-dirty` });
  expect(dirty).toMatchObject({ commit: COMMIT, isDirty: true });
  expect(dirty.labels).toMatchObject({ VERSION: "1.2.3-dirty", REVISION: `${COMMIT}-dirty` });
  expect(read({ LAB_REVISION: "unknown" })).toMatchObject({
    commit: "",
    isDirty: true,
    labels: { VERSION: "1.2.3-dirty" },
  });
});

test("SOURCE_DATE_EPOCH takes the place of the commit's time", () => {
  expect(read({ SOURCE_DATE_EPOCH: "0" }).epoch).toBe(0);
  expect(read({ SOURCE_DATE_EPOCH: "" }).epoch).toBe(1_790_000_000);
});

test.each(["yesterday", "-1", "1.5", "2026-11-26", "0x10", "1e9", " 1"])("SOURCE_DATE_EPOCH=%s is refused", (value) => {
  expect(() => read({ SOURCE_DATE_EPOCH: value })).toThrow(
    `SOURCE_DATE_EPOCH=${value}: expected a number of seconds since 1970.`,
  );
});

test("only the documented values allow stand-ins, or overwrite", () => {
  expect(read({ ALLOW_STANDINS: "yes", FORCE: "1" })).toMatchObject({ allowStandins: true, force: true });
  expect(read({ ALLOW_STANDINS: "no", FORCE: "0" })).toMatchObject({ allowStandins: false, force: false });
});
