// What a registry of testing/registry.ts has in a repository: what its API says, and what its files show.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const ACCEPT = ["index", "manifest"].map((kind) => `application/vnd.oci.image.${kind}.v1+json`).join(", ");

/** A manifest's JSON, its digest, and its media type as the registry says it. */
export async function manifestOf<T>(registry: string, repository: string, reference: string) {
  const url = `http://${registry}/v2/${repository}/manifests/${reference}`;
  const response = await fetch(url, { headers: { Accept: ACCEPT } });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const { headers } = response;
  return {
    digest: headers.get("Docker-Content-Digest") ?? "",
    mediaType: headers.get("Content-Type") ?? "",
    content: (await response.json()) as T,
  };
}

export async function blobOf<T>(registry: string, repository: string, digest: string): Promise<T> {
  return (await (await fetch(`http://${registry}/v2/${repository}/blobs/${digest}`)).json()) as T;
}

/**
 * All tags of a repository with their digests, and how many manifests it has: each image, each signature and each
 * statement is one or more.
 *
 * @param folder in which the registry keeps its files
 */
export function contentsOf(folder: string, repository: string) {
  const manifests = join(folder, "docker/registry/v2/repositories", repository, "_manifests");
  const tags = existsSync(join(manifests, "tags")) ? readdirSync(join(manifests, "tags")).sort() : [];
  const link = (tag: string) => readFileSync(join(manifests, "tags", tag, "current/link"), "utf8");
  return {
    tags: Object.fromEntries(tags.map((tag) => [tag, link(tag)])),
    manifests: existsSync(manifests) ? readdirSync(join(manifests, "revisions/sha256")).length : 0,
  };
}
