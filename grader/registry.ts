import { Skip } from "./rule.ts";
import { text } from "./text.ts";

/** Where Docker Hub's images are. */
export const DOCKER_HUB = "registry-1.docker.io";

const SECONDS = 20;

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/**
 * Why an image cannot be pulled by everybody; `undefined` where it can. It asks for the manifest alone, as the OCI
 * Distribution Specification and its token authentication say, so that nothing changes among the local images.
 *
 * @throws {Skip} where the registry is out of reach, or does not want to say
 */
export async function whyNotPullable(host: string, repository: string, tag: string): Promise<string | undefined> {
  const scheme = /^(localhost|127\.)/.test(host) ? "http" : "https";
  const url = `${scheme}://${host}/v2/${repository}/manifests/${tag}`;
  let answer = await ask(host, url, {});
  const challenge = answer.headers.get("www-authenticate") ?? "";
  if (answer.status === 401 && /^bearer /i.test(challenge)) {
    const token = await anonymousToken(host, challenge);
    if (token !== undefined) answer = await ask(host, url, { authorization: `Bearer ${token}` });
  }
  if (answer.ok) return undefined;
  if (answer.status === 429 || answer.status >= 500) throw unreachable(host, `status ${answer.status}`);
  return answer.status === 404 ? "there is no such image (404)" : `it is not public (${answer.status})`;
}

async function anonymousToken(host: string, challenge: string): Promise<string | undefined> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const { realm, service = "", scope = "" } = fields;
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const answer = await ask(host, `${realm}?${new URLSearchParams({ service, scope })}`, {});
  const { token, access_token } = (await answer.json().catch(() => ({}))) as { token?: string; access_token?: string };
  return token ?? access_token;
}

async function ask(host: string, url: string, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, {
      headers: { accept: MANIFESTS.join(", "), ...headers },
      signal: AbortSignal.timeout(SECONDS * 1000),
    });
  } catch (error) {
    throw unreachable(host, (error as { code?: string }).code ?? (error as Error).message);
  }
}

const unreachable = (host: string, why: string) =>
  new Skip(text(`${host} cannot be reached from here: ${why}`, `${host} est hors d'atteinte d'ici : ${why}`));
