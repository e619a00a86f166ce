import { Refusal } from "../host/refusal.ts";
import { ask } from "./cluster.ts";

/** The fields used here of `docker info`. */
export interface Engine {
  readonly Swarm: { readonly LocalNodeState: string; readonly ControlAvailable: boolean; readonly Error?: string };
  readonly RegistryConfig: { readonly IndexConfigs: Readonly<Record<string, { readonly Secure: boolean }>> };
}

/**
 * The engine, if it is a manager of a Swarm.
 *
 * @throws {Refusal} if it is not
 */
export async function manager(): Promise<Engine> {
  const engine: Engine = JSON.parse(await ask("info", "--format", "{{json .}}"));
  const { LocalNodeState: state, ControlAvailable, Error: error } = engine.Swarm;
  if (state === "active" && ControlAvailable) return engine;
  if (state === "active") throw new Refusal("this engine is a worker of a Swarm. Run the command on a manager.");
  if (state === "inactive")
    throw new Refusal("this engine is in no Swarm. Make it the manager of one:  docker swarm init");
  throw new Refusal(`this engine's Swarm is ${state}${error ? `: ${error}` : "."}`);
}
