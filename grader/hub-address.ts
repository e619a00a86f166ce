import { type Text, text } from "./text.ts";

/** What an address names: a repository on Docker Hub as `account/image`, or why it names none of a student's own. */
export type HubAddress = { readonly repository: string } | { readonly fault: Text };

/** Hosts of Docker Hub's pages, also of Docker Cloud (its repositories, until 2019) and of Docker Store (until 2018). */
const PAGE_HOSTS = ["hub.docker.com", "registry.hub.docker.com", "cloud.docker.com", "store.docker.com"];
/** Hosts that images are pulled from. Nothing is pulled from docker.com, but what is meant is clear. */
const REGISTRY_HOSTS = [
  "docker.io",
  "index.docker.io",
  "registry-1.docker.io",
  "registry.hub.docker.com",
  "docker.com",
];

/** The page of an image, up to the account's name. The layers have had the number of the image in front. */
const PAGE =
  /^(?:(?:(?:u|app|swarm)\/[^/]+\/)?repository\/(?:docker|registry-1(?:\.docker\.io)?)|r|layers(?:\/docker)?(?:\/\d{6,}(?=\/[^/]+\/[^/]+\/))?|community\/images|v2\/(?:repositories|namespaces))\//;
/** The page of one of Docker's own images. */
const OFFICIAL_PAGE = /^(?:r\/)?(?:_|images)\//;
/** A URL of the registry's interface, up to the account's name. */
const INTERFACE = /^v[12]\/(?:repositories\/)?/;

/**
 * Reads an address on Docker Hub, however it is written: as `docker pull` takes it, as one of Docker Hub's pages or of
 * its registry's URLs, as a whole command, in quotes.
 */
export function parseHubAddress(written: string): HubAddress {
  const address = written
    .trim()
    .replace(/^(["'`<])(.*?)["'`>]$/s, "$2")
    .trim()
    .replace(/^(?:\$ )?(?:sudo )?docker (?:image )?(?:pull|push) +/, "")
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/[?#].*$/s, "");
  const [first = "", ...rest] = address.split("/");
  const names = /[.:]/.test(first) && rest.length > 0 ? namesAt(first, rest.join("/")) : segments(address);
  return names?.length === 2 ? check(names[0] ?? "", names[1] ?? "") : { fault: NO_ADDRESS };
}

const segments = (path: string): string[] => path.split("/").filter((name) => name !== "");

/** The account and the image of a path on a host; `undefined` if the host is not Docker Hub's. */
function namesAt(written: string, path: string): string[] | undefined {
  const host = written
    .toLowerCase()
    .replace(/^www\./, "")
    .replace(/:443$/, "");
  if (PAGE_HOSTS.includes(host)) {
    if (OFFICIAL_PAGE.test(path)) return ["library", segments(path.replace(OFFICIAL_PAGE, ""))[0] ?? ""];
    const rest = path.replace(PAGE, "");
    const isNamespace = path.startsWith("v2/namespaces/");
    if (rest !== path) return segments(isNamespace ? rest.replace("/repositories/", "/") : rest).slice(0, 2);
  }
  if (!REGISTRY_HOSTS.includes(host)) return undefined;
  const rest = path.replace(INTERFACE, "");
  return rest === path ? segments(rest) : segments(rest).slice(0, 2);
}

/** Checks names by the rules of Docker Hub and of https://github.com/distribution/reference. */
function check(account: string, imageAndTag: string): HubAddress {
  const [image = "", tag] = imageAndTag.split(/:(.*)/s);
  const repository = `${account}/${image}`;
  const spelling = repository.toLowerCase();
  if (!/^[a-z0-9][a-z0-9_-]{1,254}\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/.test(spelling))
    return { fault: NO_ADDRESS };
  if (account === "library") return { fault: official(image) };
  if (repository !== spelling) return { fault: upperCase(repository, spelling) };
  return tag === undefined || tag === "latest" ? { repository } : { fault: otherTag(tag) };
}

const NO_ADDRESS = text("it names no image on Docker Hub", "il ne désigne aucune image de Docker Hub");

const official = (image: string) =>
  text(
    `${image} is an image of Docker's own, not the student's`,
    `${image} est une image de Docker, pas de l'étudiant`,
  );

const upperCase = (repository: string, spelling: string) =>
  text(
    `names on Docker Hub are in lower case: ${spelling}, not ${repository}`,
    `les noms sont en minuscules sur Docker Hub : ${spelling}, et non ${repository}`,
  );

const otherTag = (tag: string) =>
  text(`it names the tag ${tag}, not latest`, `il désigne le tag ${tag}, et non latest`);
