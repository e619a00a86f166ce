import { type Client, clientOf } from "./registry-client.ts";
import { type Text, text } from "./text.ts";

/** The registry of Docker Hub. */
export const DOCKER_HUB = "registry-1.docker.io";

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** The answers so far, or those that are awaited, by URL; of whole classes, many folders may name the same image. */
const answers = new Map<string, Promise<Text | undefined>>();

/**
 * Checks whether anybody can pull an image, without pulling it: it asks for the manifest only, as specified by the OCI
 * Distribution Specification and its token authentication, so the local images stay as they are. It asks once; only if
 * there was no answer, the next call asks again.
 *
 * @param registry its host, with a port and the path of a group, if it has one
 * @returns why the image cannot be pulled, or `undefined` if it can
 * @throws {Skipped} if the registry cannot be reached, limits the rate or fails, also after a few attempts
 */
export function whyNotPullable(registry: string, repository: string, tag: string): Promise<Text | undefined> {
  const scheme = /^(localhost|127\.)/.test(registry) ? "http" : "https";
  const [host = "", ...group] = registry.split("/");
  const url = `${scheme}://${host}/v2/${[...group, repository].join("/")}/manifests/${tag}`;
  const known = answers.get(url);
  if (known !== undefined) return known;
  const answer = ask(clientOf(host), url);
  answers.set(url, answer);
  answer.catch(() => answers.delete(url));
  return answer;
}

async function ask(client: Client, url: string): Promise<Text | undefined> {
  // Docker Hub counts a GET as a pull, of which it allows few, and a HEAD not:
  // https://docs.docker.com/docker-hub/usage/pulls/
  if ((await requestManifest(client, url, "HEAD")).ok) return undefined;
  // Some registries do not answer HEAD as they should, so the refusal counts only of what a pull sends.
  const { ok, status } = await requestManifest(client, url, "GET");
  if (ok) return undefined;
  if (status === 404) return text("no such image (404)", "cette image n'existe pas (404)");
  return text(`the image is not public (${status})`, `l'image n'est pas publique (${status})`);
}

/** Requests a manifest, of which the status is enough; if the registry wants a token, with one that anybody gets. */
async function requestManifest(client: Client, url: string, method: "HEAD" | "GET"): Promise<Response> {
  const request = async (headers: Record<string, string>) => {
    const response = await client.request(url, { method, headers: { accept: MANIFEST_TYPES, ...headers } });
    await response.body?.cancel();
    return response;
  };
  const response = await request({});
  const challenge = response.headers.get("www-authenticate") ?? "";
  if (response.status !== 401 || !/^bearer /i.test(challenge)) return response;
  const token = await anonymousToken(client, challenge);
  return token === undefined ? response : request({ authorization: `Bearer ${token}` });
}

/** Fetches a token as https://distribution.github.io/distribution/spec/auth/token/ describes it; `undefined` if refused. */
async function anonymousToken(client: Client, challenge: string): Promise<string | undefined> {
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  const { realm, service = "", scope = "" } = fields;
  if (realm === undefined || !URL.canParse(realm)) return undefined;
  const response = await client.request(`${realm}?${new URLSearchParams({ service, scope })}`, {});
  if (!response.ok) return undefined;
  const { token, access_token } = await client.readJson(response);
  return [token, access_token].find((value) => typeof value === "string");
}
