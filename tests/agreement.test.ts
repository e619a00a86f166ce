// Facts that are written in two places are the same in both.

import { describe, expect, test } from "bun:test";
import { BUDGET_MS } from "../api-frontend/backend.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { devDependencies, packageManager } from "../package.json" with { type: "json" };
import { DRAIN_MS } from "../service/drain.ts";
import { TIMEOUT_MS } from "../service/healthcheck.ts";

const read = (path: string) => Bun.file(path).text();
const compose = await read("docker-compose.yaml");

test("each time budget is smaller than the next: backend call < drain < grace period", () => {
  const grace = /stop_grace_period: (\d+)s/.exec(compose)?.[1];
  expect(BUDGET_MS).toBeLessThan(DRAIN_MS);
  expect(DRAIN_MS).toBeLessThan(Number(grace) * 1000);
});

describe("deploy/swarm.yaml", async () => {
  interface StackFile {
    services: Record<ServiceName, StackService>;
  }
  interface StackService {
    image: string;
    environment: Record<string, string>;
    ports?: { target: number; published: string }[];
    stop_grace_period: string;
    read_only: boolean;
    cap_drop: string[];
    logging: object;
    deploy: { resources: { limits: { memory: string; pids: number } } };
  }
  interface ComposeService extends Pick<StackService, "image" | "read_only" | "cap_drop" | "logging"> {
    environment: string[];
    mem_limit: string;
    pids_limit: number;
  }
  const swarm = Bun.YAML.parse(await read("deploy/swarm.yaml")) as StackFile;
  const one = Bun.YAML.parse(compose) as { services: Record<ServiceName, ComposeService> };

  test.each(SERVICES)("hardens and limits %s as docker-compose.yaml does", (name) => {
    const [stack, single] = [swarm.services[name], one.services[name]];
    for (const field of ["read_only", "cap_drop", "logging"] as const) expect(stack[field]).toEqual(single[field]);
    const { limits } = stack.deploy.resources;
    expect([limits.memory.toLowerCase(), limits.pids]).toEqual([single.mem_limit, single.pids_limit]);
    expect(stack.image.replace(/\$\{LAB_VERSION:-(.*)\}/, "$1")).toBe(single.image);
  });

  test.each(SERVICES)("gives %s the variables that docker-compose.yaml does, and a delay", (name) => {
    const { DRAIN_DELAY_MS, ...others } = swarm.services[name].environment;
    expect(Number(DRAIN_DELAY_MS)).toBeGreaterThan(0);
    const shared = Object.entries(others).map(([variable, value]) => `${variable}=${value}`);
    expect(shared.toSorted()).toEqual(one.services[name].environment.toSorted());
  });

  test.each(SERVICES)("leaves %s the time for delay and drain", (name) => {
    const { environment, stop_grace_period } = swarm.services[name];
    const grace = Number(/^(\d+)s$/.exec(stop_grace_period)?.[1]) * 1000;
    expect(Number(environment.DRAIN_DELAY_MS) + DRAIN_MS).toBeLessThan(grace);
  });
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

test(".env.example has the same base images as the Dockerfiles", async () => {
  const dockerfile = await read("api-backend/Dockerfile");
  const images = [...(await read(".env.example")).matchAll(/^# ([A-Z]+_IMAGE=.+)$/gm)].map(([, image]) => image);
  expect(images).toHaveLength(2);
  for (const image of images) expect(`\n${dockerfile}`).toContain(`\nARG ${image}\n`);
});

test("the build image, the types and the documentation have the version of Bun in package.json", async () => {
  const version = packageManager.replace("bun@", "");
  // A digest may follow.
  expect(await read("api-backend/Dockerfile")).toMatch(
    new RegExp(`^ARG BUN_IMAGE=docker\\.io/oven/bun:${version}(@sha256:[0-9a-f]{64})?$`, "m"),
  );
  expect(devDependencies["bun-types"]).toBe(version);
  expect(await read("docs/proxy.md")).toContain(`/oven/bun:${version} `);
});

test("the changelog begins with the version in package.json", async () => {
  const [, newest] = /^## \[(.+?)\]/m.exec(await read("CHANGELOG.md")) ?? [];
  expect(newest).toBe((await Bun.file("package.json").json()).version);
});
