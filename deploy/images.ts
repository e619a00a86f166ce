// Whether the nodes can have an image.
import { brief } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import type { Engine } from "./manager.ts";
import { Refusal } from "./refusal.ts";

/** A registry that cannot be reached must not keep the user waiting. */
const TIMEOUT_S = 20;

/** What a service is to be given as its image: by its name, or by the id of an image that the only node has. */
export async function findImage(name: string, engine: Engine, nodeCount: number): Promise<string> {
  const inRegistry = await askRegistry(name, engine);
  if (inRegistry === undefined) return name;
  if (nodeCount > 1)
    throw new Refusal(
      `no node can pull ${name}: ${inRegistry}`,
      "Push it for the nodes, under your own account:  make push HUB_USER=<account>",
    );
  // By its id, the engine does not look for it in a registry.
  const { code, stdout } = await docker(["image", "inspect", "--format", "{{.Id}}", name]);
  if (code === 0) return stdout.trim();
  throw new Refusal(
    `${name} is not on this engine, and cannot be pulled: ${inRegistry}`,
    "Build and name it for this engine:  make tag",
  );
}

/** Asks an image's registry for it, with the logins of the Docker client. The answer is what is wrong, if anything. */
async function askRegistry(name: string, { RegistryConfig }: Engine): Promise<string | undefined> {
  const isInsecure = RegistryConfig.IndexConfigs[name.split("/")[0] ?? ""]?.Secure === false;
  const options = isInsecure ? ["--insecure"] : [];
  const { code, stderr } = await docker(["manifest", "inspect", ...options, name], { seconds: TIMEOUT_S });
  return code === 0 ? undefined : brief(stderr.trim().split("\n").at(-1) ?? "", 300);
}
