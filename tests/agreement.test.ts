// Facts that are written in two places are the same in both.

import { expect, test } from "bun:test";
import { BUDGET_MS } from "../api-frontend/backend.ts";
import { packageManager } from "../package.json" with { type: "json" };
import { DRAIN_MS } from "../service/drain.ts";
import { TIMEOUT_MS } from "../service/healthcheck.ts";
import { SERVICES } from "../testing/services.ts";

const read = (path: string) => Bun.file(path).text();
const compose = await read("docker-compose.yaml");

test("each time budget is smaller than the next: backend call < drain < grace period", () => {
  const grace = /stop_grace_period: (\d+)s/.exec(compose)?.[1];
  expect(BUDGET_MS).toBeLessThan(DRAIN_MS);
  expect(DRAIN_MS).toBeLessThan(Number(grace) * 1000);
});

test("a health check times out before the engine stops it, and before the next one starts", async () => {
  const [, interval, timeout] =
    /--interval=(\d+)s --timeout=(\d+)s/.exec(await read("api-backend/Dockerfile"))?.map(Number) ?? [];
  expect(TIMEOUT_MS).toBeLessThan((timeout ?? 0) * 1000);
  expect(timeout).toBeLessThanOrEqual(interval ?? 0);
});

test("the two Dockerfiles differ only in name, port, description and the HTTP client", async () => {
  const [backend, frontend] = await Promise.all(SERVICES.map((name) => read(`${name}/Dockerfile`)));
  const normalized = (text = "") =>
    text
      .replace(/api-(back|front)end|800[01]|(?<=description=").*(?=")/g, "…")
      .replace("COPY http-client http-client\n", "");
  expect(normalized(frontend)).toBe(normalized(backend));
});

test("docker-compose.yaml has the same defaults as the Dockerfiles", async () => {
  const dockerfile = await read("api-backend/Dockerfile");
  const defaults = [...compose.matchAll(/^ +([A-Z_]+): \$\{(?:LAB_)?\1:-(.*)\}$/gm)];
  expect(defaults.map(([, name]) => name)).toEqual([
    "BUN_IMAGE",
    "RUNTIME_IMAGE",
    "HUB_USER",
    "SOURCE",
    "VERSION",
    "REVISION",
  ]);
  for (const [, name, value] of defaults)
    expect(dockerfile).toContain(`\nARG ${name}=${value}\n`.slice(name === "BUN_IMAGE" ? 1 : 0));
  for (const [, user] of compose.matchAll(/HUB_USER:-(\w+)/g)) expect(user).toBe("tpdocker");
});

test("the build image and the types have the version of Bun in package.json", async () => {
  const version = packageManager.replace("bun@", "");
  expect(await read("api-backend/Dockerfile")).toStartWith(`ARG BUN_IMAGE=docker.io/oven/bun:${version}\n`);
  expect(await read("package.json")).toContain(`"bun-types": "${version}"`);
});
