// The rule that asks a registry, with a real one in place of Docker Hub.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { runOrThrow } from "../../host/command.ts";
import { RUNTIME } from "../../testing/base-images.ts";
import { startRegistry } from "../../testing/registry.ts";
import { requireEngine } from "../compose.ts";
import { up } from "../rules/compose.ts";
import { hubRepository, label, published } from "../rules/files.ts";
import { gradeFiles, MINUTES, outcome } from "./grading.ts";
import { right } from "./submissions.ts";

await requireEngine();
const registry = await startRegistry();
const pushed: string[] = [];

beforeAll(async () => {
  for (const name of ["student/api-backend", "student/api-frontend", "pupil/api-backend"]) await push(name);
});
afterAll(async () => {
  if (pushed.length > 0) await runOrThrow(["docker", "image", "rm", ...pushed]);
  await registry.stop();
});

/** What the image holds is no matter: the rule asks whether it can be had. */
async function push(name: string) {
  const image = `${registry.address}/${name}:latest`;
  await runOrThrow(["docker", "tag", RUNTIME, image]);
  pushed.push(image);
  await runOrThrow(["docker", "push", image]);
}

/** The rule itself, and those that it rests on. */
const options = { registry: registry.address, rules: [up, label, published], advice: false };

test.concurrent(
  "both images are there: it passes",
  async () => {
    expect(outcome(await gradeFiles(right, options))).toEqual({ mark: 20, failed: [], skipped: [] });
  },
  5 * MINUTES,
);

test.concurrent(
  "one image is not there: it fails",
  async () => {
    const pupil = Object.entries(right).map(([path, text]) => [path, text.replace("docker.io/student", "pupil")]);
    const failed = [["published", [expect.stringContaining("pupil/api-frontend:latest cannot be pulled: ")]]];
    expect(outcome(await gradeFiles(Object.fromEntries(pupil), options))).toEqual({ mark: 12, failed, skipped: [] });
  },
  5 * MINUTES,
);

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
