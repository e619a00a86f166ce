// A Compose stack for tests on the real engine, isolated from any other by its names and ports.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { type Container, containersOf, inspect } from "../host/docker.ts";
import { freePort } from "../host/tcp.ts";
import type { ServiceName } from "../lab/services.ts";

/** Names the Compose project of the tests, and the Docker Hub account in their image names: no real stack has it. */
export const TEST_NAME = process.env.LAB_TEST_NAME ?? `tpdockertest${process.pid}`;

/** Variables that make `docker compose` Compose 2, downloading it from Debian if needed; `undefined` if there is none. */
export async function compose2(): Promise<Environment | undefined> {
  if ((await run(["docker", "compose", "version"])).code === 0) return {};
  const { code, stdout } = await run(["sh", "scripts/compose-v2"]);
  return code === 0 ? { DOCKER_CONFIG: stdout.trim() } : undefined;
}

/** Variables that make `sh scripts/compose` run Compose 1; `undefined` if it is not on this machine. */
export async function compose1(): Promise<Environment | undefined> {
  if (!(await run(["docker-compose", "version", "--short"])).stdout.startsWith("1.")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-compose1-"));
  const docker = `#!/bin/sh\n[ "$1" != compose ] || exit 1\nexec '${Bun.which("docker")}' "$@"\n`;
  writeFileSync(join(folder, "docker"), docker, { mode: 0o755 });
  return { PATH: `${folder}:${process.env.PATH}` };
}

export type TestStack = Awaited<ReturnType<typeof createTestStack>>;

/**
 * A stack on free ports, not started yet.
 *
 * @param compose the Compose command to run it with
 */
export async function createTestStack(compose: string[] = ["sh", "scripts/compose"]) {
  const ports = { "api-backend": await freePort(), "api-frontend": await freePort() };
  const env = {
    COMPOSE_PROJECT_NAME: TEST_NAME,
    HUB_USER: TEST_NAME,
    BACKEND_PORT: String(ports["api-backend"]),
    FRONTEND_PORT: String(ports["api-frontend"]),
    // Override what .env may set.
    LAB_LOG_LEVEL: "info",
    LAB_REGISTRY: "",
    LAB_BIND: "",
  };
  return {
    ports,
    env,
    image: (name: ServiceName) => `docker.io/${TEST_NAME}/${name}:latest`,
    compose: (...args: string[]) => runOrThrow([...compose, ...args], env),
    container: async (name: ServiceName) => inspect<Container>(await containerId(name)),
    /** Removes its containers, network and images. */
    async remove() {
      await runOrThrow([...compose, "down", "--timeout", "2"], env);
      await removeImages();
    },
  };
}

/**
 * The id of a service's container, running or not.
 *
 * @throws {Error} if there is none, or more than one
 */
async function containerId(name: ServiceName): Promise<string> {
  const [id, ...others] = await containersOf(TEST_NAME, name);
  if (id === undefined || others.length > 0)
    throw new Error(`expected one container of ${name}, found ${JSON.stringify([id, ...others])}`);
  return id;
}

/** Removes all images of the tests' account, for any registry. */
export async function removeImages(): Promise<void> {
  const names = await runOrThrow(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
  const own = names.split("\n").filter((name) => name.includes(`${TEST_NAME}/`));
  if (own.length > 0) await run(["docker", "image", "rm", "--force", ...own]);
}

/** The ids of the containers and networks that the engine still has of the tests' project. */
export async function leftovers(): Promise<string> {
  const filter = `label=com.docker.compose.project=${TEST_NAME}`;
  const lists = [
    ["docker", "ps", "--all", "--quiet", "--filter", filter],
    ["docker", "network", "ls", "--quiet", "--filter", filter],
  ];
  return (await Promise.all(lists.map((list) => runOrThrow(list)))).join("");
}
