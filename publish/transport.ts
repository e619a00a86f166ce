// How a registry is reached: as the Docker engine reaches it.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { docker } from "../host/docker.ts";
import { isLoopback, registryOf } from "./addresses.ts";

interface Transport {
  /** Without TLS. */
  readonly isPlainHttp: boolean;
  /** A file with the certificate of a CA of the registry's own. */
  readonly ca?: string | undefined;
}

const known = new Map<string, Promise<Transport>>();

/** With the CA that is set up for Docker, or without TLS if it is on this machine, or so set in the engine's daemon.json. */
export function transportOf(image: string): Promise<Transport> {
  const registry = registryOf(image);
  const transport = known.get(registry) ?? find(registry, image);
  known.set(registry, transport);
  return transport;
}

async function find(registry: string, image: string): Promise<Transport> {
  // https://docs.docker.com/engine/security/certificates/
  const folders = ["/etc/docker", join(homedir(), ".config/docker")];
  const ca = folders.map((folder) => join(folder, "certs.d", registry, "ca.crt")).find((file) => existsSync(file));
  return { ca, isPlainHttp: ca === undefined && (isLoopback(image) || (await isSetInsecure(registry))) };
}

async function isSetInsecure(registry: string): Promise<boolean> {
  const { code, stdout } = await docker(["info", "--format", "{{json .RegistryConfig.IndexConfigs}}"], { seconds: 10 });
  if (code !== 0) return false;
  const configs = JSON.parse(stdout) as Record<string, { Secure: boolean } | undefined> | null;
  return configs?.[registry]?.Secure === false;
}

/**
 * The options of ORAS for a registry.
 *
 * @param direction what they begin with where there are two registries
 */
export async function orasOptions(image: string, direction: "" | "from-" | "to-" = ""): Promise<string[]> {
  const { isPlainHttp, ca } = await transportOf(image);
  if (ca !== undefined) return [`--${direction}ca-file`, ca];
  return isPlainHttp ? [`--${direction}plain-http`] : [];
}

/** The options of Cosign for a registry. */
export async function cosignOptions(image: string): Promise<string[]> {
  const { isPlainHttp, ca } = await transportOf(image);
  if (ca !== undefined) return ["--registry-cacert", ca];
  return isPlainHttp ? ["--allow-http-registry"] : [];
}
