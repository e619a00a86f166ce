// What the user has set, as scripts/deploy hands it over.

import { join } from "node:path";
import type { Environment } from "../host/command.ts";
import type { ServiceName } from "../lab/services.ts";

export interface Settings {
  /** The name of the stack. */
  readonly stack: string;
  /** The port of the frontends on every node. */
  readonly port: number;
  readonly backends: number;
  readonly images: Readonly<Record<ServiceName, string>>;
  /** The frontends' port is one of the mesh. */
  readonly mesh: boolean;
  /** The engine is on this other machine; empty if it is on this one. */
  readonly remote: string;
  /** The files of the stack, in the order in which they are merged. */
  readonly files: readonly string[];
  /** The variables of these files. */
  readonly env: Environment;
}

/** @param env LAB_VARIABLES has what `scripts/config --variables` prints, which has checked it */
export function readSettings(env: Environment): Settings {
  const lines = (env.LAB_VARIABLES ?? "").split("\n").map((line) => line.split(/=(.*)/, 2));
  const set = Object.fromEntries(lines.filter(([, value]) => value)) as Record<string, string | undefined>;
  const version = env.LAB_VERSION || "latest";
  const mesh = set.LAB_MESH === "yes";
  const account = `${set.LAB_REGISTRY ?? "docker.io"}/${set.HUB_USER ?? "tpdocker"}`;
  return {
    stack: set.COMPOSE_PROJECT_NAME ?? "tpdocker",
    port: Number(set.FRONTEND_PORT ?? 8000),
    backends: Number(set.LAB_BACKENDS ?? 3),
    images: {
      "api-backend": `${account}/api-backend:${version}`,
      "api-frontend": `${account}/api-frontend:${version}`,
    },
    mesh,
    remote: env.LAB_REMOTE ?? "",
    files: ["swarm.yaml", ...(mesh ? ["swarm-mesh.yaml"] : [])].map((name) => join(import.meta.dir, name)),
    env: { ...set, LAB_VERSION: version },
  };
}
