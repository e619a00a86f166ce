import { expect, test } from "bun:test";
import { fullName, isLoopback, registryOf, repositoryOf } from "./addresses.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;

test.each([
  ["alice/api-backend", "docker.io", "docker.io/alice/api-backend"],
  ["debian:13", "docker.io", "docker.io/library/debian:13"],
  ["docker.io/oven/bun:1.4.5", "docker.io", "docker.io/oven/bun:1.4.5"],
  ["ghcr.io/alice/api-backend:1", "ghcr.io", "ghcr.io/alice/api-backend:1"],
  ["registry:5000/a", "registry:5000", "registry:5000/a"],
  ["localhost/tpdocker-standin/bun:1.4.5", "localhost", "localhost/tpdocker-standin/bun:1.4.5"],
  [`127.0.0.1:5000/a/b@${DIGEST}`, "127.0.0.1:5000", `127.0.0.1:5000/a/b@${DIGEST}`],
  ["[::1]:5000/a", "[::1]:5000", "[::1]:5000/a"],
])("%s is in %s, and is %s in full", (image, registry, full) => {
  expect(registryOf(image)).toBe(registry);
  expect(fullName(image)).toBe(full);
  expect(fullName(full)).toBe(full);
});

test.each(["localhost/a", "localhost:5000/a", "127.0.0.1/a", "127.1.2.3:5000/a/b:1", "[::1]:5000/a"])(
  "%s is on this machine",
  (image) => expect(isLoopback(image)).toBe(true),
);

test.each([
  ...["alice/api-backend", "docker.io/localhost/a", "127.0.0.1.example.org/a", "localhost.example.org/a"],
  ...["10.127.0.0.1:5000/a", "192.168.1.2:5000/a", "[::2]:5000/a", "example.org/127.0.0.1/a"],
])("%s is elsewhere", (image) => expect(isLoopback(image)).toBe(false));

test.each([
  ["alice/api-backend", "alice/api-backend"],
  ["alice/api-backend:1.0.0", "alice/api-backend"],
  ["127.0.0.1:5000/alice/api-backend", "127.0.0.1:5000/alice/api-backend"],
  [`127.0.0.1:5000/alice/api-backend@${DIGEST}`, "127.0.0.1:5000/alice/api-backend"],
  [`127.0.0.1:5000/alice/api-backend:latest@${DIGEST}`, "127.0.0.1:5000/alice/api-backend"],
])("the repository of %s is %s", (image, repository) => expect(repositoryOf(image)).toBe(repository));
