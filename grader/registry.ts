import { Skipped } from "./rule.ts";
import { type Text, text } from "./text.ts";

/** The registry of Docker Hub. */
export const DOCKER_HUB = "registry-1.docker.io";

const REQUEST_TIMEOUT_S = 20;
const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/**
 * Checks whether anybody can pull an image. It requests the manifest only, as specified by the OCI Distribution
 * Specification and its token authentication, so the local images stay as they are.
 *
 * @returns why the image cannot be pulled, or `undefined` if it can
 * @throws {Skipped} if the registry cannot be reached, limits the rate or fails
 */
export async function whyNotPullable(host: string, repository: string, tag: string): Promise<Text | undefined> {
  const scheme = /^(localhost|127\.)/.test(host) ? "http" : "https";
  const url = `${scheme}://${host}/v2/${repository}/manifests/${tag}`;
  let response = await request(host, url, {});
  const challenge = response.headers.get("www-authenticate") ?? "";
  if (response.status === 401 && /^bearer /i.test(challenge)) {
    const token = await anonymousToken(host, challenge);
    if (token !== undefined) response = await request(host, url, { authorization: `Bearer ${token}` });
  }
  const { ok, status } = response;
  if (ok) return undefined;
  if (status === 429 || status >= 500) throw unreachable(host, `HTTP ${status}`);
  if (status === 404) return text("no such image (404)", "cette image n'existe pas (404)");
  return text(`the image is not public (${status})`, `l'image n'est pas publique (${status})`);
}

async function anonymousToken(host: string, challenge: string): Promise<string | undefined> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const { realm, service = "", scope = "" } = fields;
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const response = await request(host, `${realm}?${new URLSearchParams({ service, scope })}`, {});
  const body = (await response.json().catch(() => ({}))) as { token?: string; access_token?: string };
  return body.token ?? body.access_token;
}

async function request(host: string, url: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, {
      headers: { accept: MANIFEST_TYPES.join(", "), ...headers },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_S * 1000),
    });
  } catch (error) {
    throw unreachable(host, (error as { code?: string }).code ?? (error as Error).message);
  }
}

const unreachable = (host: string, why: string) =>
  new Skipped(text(`${host} cannot be reached: ${why}`, `${host} est injoignable : ${why}`));
