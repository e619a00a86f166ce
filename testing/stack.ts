// What the tests on the real engine share: a stack of their own, and what the engine tells of it.
import { type Environment, output, run } from "../host/command.ts";
import { type Container, inspect } from "../host/docker.ts";
import { freePort } from "../host/tcp.ts";
import type { Name } from "./services.ts";

/** Names that no stack in use has: of the Compose project, and of the account that the images are named after. */
export const OWN = process.env.TEST_NAME ?? `tpdockertest${process.pid}`;

/** The variables with which `docker compose` is Compose 2: taken from Debian where it is not here, else `undefined`. */
export async function compose2(): Promise<Environment | undefined> {
  if ((await run(["docker", "compose", "version"])).code === 0) return {};
  const { code, stdout } = await run(["scripts/compose-v2"]);
  return code === 0 ? { DOCKER_CONFIG: stdout.trim() } : undefined;
}

/** A stack with names and ports of its own; `compose` is the command that runs it. */
export async function ownStack(compose: string[] = ["scripts/compose"]) {
  const ports = { "api-backend": await freePort(), "api-frontend": await freePort() };
  const env = {
    COMPOSE_PROJECT_NAME: OWN,
    HUB_USER: OWN,
    BACKEND_PORT: String(ports["api-backend"]),
    FRONTEND_PORT: String(ports["api-frontend"]),
    // Whatever .env says.
    LOG_LEVEL: "info",
    REGISTRY: "",
  };
  return {
    ports,
    env,
    image: (name: Name) => `docker.io/${OWN}/${name}:latest`,
    compose: (...args: string[]) => output([...compose, ...args], env),
    container: async (name: Name) => inspect<Container>(await containerOf(name)),
    /** Removes all that the stack is made of, images too. */
    async remove() {
      await output([...compose, "down", "--timeout", "2"], env);
      await removeImages();
    },
  };
}

/**
 * The id of a service's container, running or not: Compose 1's `ps -q` lists both, Compose 2's what runs alone.
 *
 * @throws {Error} where there is none, or more than one
 */
async function containerOf(name: Name): Promise<string> {
  // Compose 2 puts the first two on images as well, from which any container takes them; the third never.
  const labels = [`project=${OWN}`, `service=${name}`, "oneoff=False"];
  const filters = labels.flatMap((label) => ["--filter", `label=com.docker.compose.${label}`]);
  const ids = await output(["docker", "ps", "--all", "--quiet", ...filters]);
  if (!/^\w+$/.test(ids)) throw new Error(`not one container of ${name}: ${JSON.stringify(ids)}`);
  return ids;
}

/** Removes the images of the tests' own account, wherever they were tagged for. */
export async function removeImages(): Promise<void> {
  const names = await output(["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
  const own = names.split("\n").filter((name) => name.includes(`${OWN}/`));
  if (own.length > 0) await run(["docker", "image", "rm", "--force", ...own]);
}

/** What is left of the tests' own project in the engine. */
export async function leftovers(): Promise<string> {
  const filter = `label=com.docker.compose.project=${OWN}`;
  const lists = [
    ["docker", "ps", "--all", "--quiet", "--filter", filter],
    ["docker", "network", "ls", "--quiet", "--filter", filter],
  ];
  return (await Promise.all(lists.map((list) => output(list)))).join("");
}
