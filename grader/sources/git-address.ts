/** Where a repository is, and what of it is meant. */
export interface GitAddress {
  /** As git takes it. */
  readonly url: string;
  /** A commit, whole or abbreviated, a branch or a tag; else the default branch is meant. */
  readonly commit?: string;
}

/** The protocols that are spoken. Not `ext`, which runs a command (git-remote-ext(1)). */
export const PROTOCOLS = ["https", "http", "ssh", "git", "file"];

/** Longer ones are no addresses; the patterns below take time that grows with the square of it. */
const MAX_LENGTH = 2000;

const URL_FORM = new RegExp(`^(?:${PROTOCOLS.join("|")})://[^-\\s\\p{Cc}][^\\s\\p{Cc}]*$`, "iu");
/** `user@host:path`, git's short form of ssh (git-clone(1), "Git URLs"). */
const SHORT_FORM = /^[\w.][\w.-]*@(?:[\w.][\w.-]*|\[[\da-f:]+\]):(?!\/\/)[^-\s\p{Cc}][^\s\p{Cc}]*$/iu;
/** What git-check-ref-format(1) forbids in a name, and what would be read as an option. */
const REFERENCE = /^(?!-)(?!.*\.\.)[^\s\p{Cc}~^:?*[\\]+$/u;

/** The pages of GitHub, GitLab and their like that show a branch, a tag or a commit. */
const PAGE = /^(?<repository>\/.+?)\/(?:-\/)?(?:tree|commits?)\/(?<commit>[^?]+)$/;
/** What such pages add to an address. */
const PAGE_PARAMETERS = ["tab", "ref_type"];

/**
 * Reads the address of a git repository, as git takes it, or as a browser shows it. What is meant of it stands after
 * `#`, as in an address that Docker builds from (docs.docker.com, "Build context", "URL fragments").
 *
 * @returns `undefined` if it is none
 */
export function parseGitAddress(text: string): GitAddress | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const hash = text.indexOf("#");
  const address = hash < 0 ? text : text.slice(0, hash);
  if (!URL_FORM.test(address) && !SHORT_FORM.test(address)) return undefined;
  const page = /^https?:/i.test(address) ? pageOf(address) : { url: address };
  if (page === undefined) return undefined;
  const commit = hash < 0 ? page.commit : text.slice(hash + 1) || page.commit;
  if (commit === undefined) return page;
  return REFERENCE.test(commit) ? { ...page, commit } : undefined;
}

function pageOf(address: string): GitAddress | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  for (const parameter of PAGE_PARAMETERS) url.searchParams.delete(parameter);
  const { repository, commit } = PAGE.exec(url.pathname)?.groups ?? {};
  url.pathname = (repository ?? url.pathname).replace(/\/+$/, "");
  if (url.pathname === "/") return undefined;
  return { url: url.href, ...(commit === undefined ? {} : { commit: decoded(commit.replace(/\/+$/, "")) }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An address, or what quotes one, without a password or token in it: it is shown in reports. */
export const withoutPassword = (text: string): string => text.replace(/(:\/\/[^\s/@:]*):[^\s/@]*@/g, "$1:***@");
