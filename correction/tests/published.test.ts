// The rule that asks a registry, with a real one in place of Docker Hub.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startRegistry } from "../../tests/registry.ts";
import { output } from "../../tests/support.ts";
import { hubRepository } from "../rules/files.ts";
import { gradeFiles } from "./grading.ts";
import { RUNTIME, right } from "./submissions.ts";

const registry = await startRegistry();
const pushed: string[] = [];

beforeAll(() => push("api-backend"));
afterAll(async () => {
  if (pushed.length > 0) await output(["docker", "image", "rm", ...pushed]);
  await registry.stop();
});

/** What the image holds is no matter: the rule asks whether it can be had. */
async function push(name: string) {
  const image = `${registry.address}/student/${name}:latest`;
  await output(["docker", "tag", RUNTIME, image]);
  pushed.push(image);
  await output(["docker", "push", image]);
}

test("an image that is not there fails on this rule, once it is there all pass", async () => {
  const failed = async () => {
    const { mark, results } = await gradeFiles(right, registry.address);
    return [
      mark,
      ...results.filter(({ verdict }) => verdict !== "pass").map(({ rule, verdict }) => [rule.id, verdict]),
    ];
  };
  expect(await failed()).toEqual([18, ["published", "fail"]]);
  await push("api-frontend");
  expect(await failed()).toEqual([20]);
}, 300_000);

test.each([
  ["docker.io/alice/api-backend", "alice/api-backend"],
  ["alice/api-backend", "alice/api-backend"],
  ["alice/api-backend:latest", "alice/api-backend"],
  ["https://hub.docker.com/r/alice/api-backend", "alice/api-backend"],
  ["https://hub.docker.com/r/alice/api-backend/", "alice/api-backend"],
  ["https://hub.docker.com/repository/docker/alice/api-backend", "alice/api-backend"],
  ["https://hub.docker.com/repository/docker/alice/api-backend/general", "alice/api-backend"],
  ["hub.docker.com/r/alice/api.back_end/tags", "alice/api.back_end"],
  ["registry.hub.docker.com/alice/api-backend", "alice/api-backend"],
])("%s names a repository of Docker Hub", (label, repository) => {
  expect(hubRepository(label)).toBe(repository);
});

test.each([
  "",
  "alice",
  "https://github.com/alice/api-backend",
  "ghcr.io/alice/api-backend",
  "quay.io/alice/x",
  "docker.io/Alice/api",
  "docker.io/alice/api:1.0",
  "localhost:5000/alice/api",
  "https://hub.docker.com/u/alice",
])("%p names none", (label) => {
  expect(hubRepository(label)).toBeUndefined();
});
