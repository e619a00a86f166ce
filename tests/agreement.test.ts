// What has to stand in two places says the same in both.

import { expect, test } from "bun:test";
import { BUDGET_MS } from "../api-frontend/backend.ts";
import { packageManager } from "../package.json" with { type: "json" };
import { DRAIN_MS } from "../service/drain.ts";
import { TIMEOUT_MS } from "../service/healthcheck.ts";
import { SERVICES } from "../testing/services.ts";

const read = (path: string) => Bun.file(path).text();
const compose = await read("docker-compose.yaml");

test("the time budgets form a chain: backend call < drain < grace period", () => {
  const grace = /stop_grace_period: (\d+)s/.exec(compose)?.[1];
  expect(BUDGET_MS).toBeLessThan(DRAIN_MS);
  expect(DRAIN_MS).toBeLessThan(Number(grace) * 1000);
});

test("a probe gives up before the engine gives it up, and before the next one", async () => {
  const [, interval, timeout] =
    /--interval=(\d+)s --timeout=(\d+)s/.exec(await read("api-backend/Dockerfile"))?.map(Number) ?? [];
  expect(TIMEOUT_MS).toBeLessThan((timeout ?? 0) * 1000);
  expect(timeout).toBeLessThanOrEqual(interval ?? 0);
});

test("the two Dockerfiles differ in the name, the port, the description and the HTTP client alone", async () => {
  const [backend, frontend] = await Promise.all(SERVICES.map((name) => read(`${name}/Dockerfile`)));
  const same = (text = "") =>
    text
      .replace(/api-(back|front)end|800[01]|(?<=description=").*(?=")/g, "…")
      .replace("COPY http-client http-client\n", "");
  expect(same(frontend)).toBe(same(backend));
});

test("the defaults of docker-compose.yaml are those of the Dockerfiles", async () => {
  const dockerfile = await read("api-backend/Dockerfile");
  const defaults = [...compose.matchAll(/^ +([A-Z_]+): \$\{\1:-(.*)\}$/gm)];
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
  for (const path of ["docker-compose.yaml", "scripts/compose", "scripts/publish"]) {
    for (const [, user] of (await read(path)).matchAll(/HUB_USER(?::-| )(\w+)/g)) expect(user).toBe("tpdocker");
  }
});

test("the image that builds has the Bun of package.json", async () => {
  const version = packageManager.replace("bun@", "");
  expect(await read("api-backend/Dockerfile")).toStartWith(`ARG BUN_IMAGE=oven/bun:${version}\n`);
  expect(await read("package.json")).toContain(`"bun-types": "${version}"`);
});
