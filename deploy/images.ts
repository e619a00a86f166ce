// Whether the nodes can have an image.
import { brief } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import { Refusal } from "../host/refusal.ts";
import type { Engine } from "./manager.ts";

/** A registry that cannot be reached must not keep the user waiting. */
const TIMEOUT_S = 20;

/**
 * What a service is to be given as its image: its name, or the id of the image that the only node has. By its id, the
 * engine does not look for it in a registry.
 *
 * @throws {Refusal} if no node can have it
 */
export async function findImage(name: string, engine: Engine, nodeCount: number): Promise<string> {
  const id = nodeCount === 1 ? await localId(name) : undefined;
  if (id !== undefined) return id;
  const problem = await askRegistry(name, engine);
  if (problem === undefined) return name;
  if (nodeCount === 1)
    throw new Refusal(
      `${name} is not on this engine, and cannot be pulled: ${problem}`,
      "Build and name it for this engine:  make tag",
    );
  throw new Refusal(
    `no node can pull ${name}: ${problem}`,
    "Push it for the nodes, under your own account:  make push HUB_USER=<account>",
  );
}

async function localId(name: string): Promise<string | undefined> {
  const { code, stdout } = await docker(["image", "inspect", "--format", "{{.Id}}", name]);
  return code === 0 ? stdout.trim() : undefined;
}

/** Asks an image's registry for it, with the logins of the Docker client. The answer is what is wrong, if anything. */
async function askRegistry(name: string, { RegistryConfig }: Engine): Promise<string | undefined> {
  const isInsecure = RegistryConfig.IndexConfigs[name.split("/")[0] ?? ""]?.Secure === false;
  const options = isInsecure ? ["--insecure"] : [];
  const { code, stderr } = await docker(["manifest", "inspect", ...options, name], { seconds: TIMEOUT_S });
  return code === 0 ? undefined : brief(stderr.trim().split("\n").at(-1) ?? "", 300);
}
