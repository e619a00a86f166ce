import { constants } from "node:fs";
import { attempt } from "../attempt.ts";
import { beginningOf } from "./beginning.ts";
import { type GitAddress, parseGitAddress } from "./git-address.ts";

/** Much more than a text with a link has. */
const MAX_BYTES = 256 * 1024;
/** Repositories of these hosts are told from other links by nothing else. */
const HOST =
  /^https?:\/\/([^/]*@)?(www\.)?(github|gitlab|bitbucket|codeberg|gitea|forge)\b|^https?:\/\/[^/]*\bgit|\.git$/i;

/**
 * The git address in the text that a student typed into Moodle: its only link, or the only one that looks like a
 * repository's. Never another protocol's than http's: a student must not choose a path of this machine.
 *
 * @param pages the HTML files that Moodle made of it
 */
export function addressIn(pages: readonly string[]): GitAddress | undefined {
  const addresses = new Map<string, GitAddress>();
  for (const page of pages) {
    for (const link of linksIn(attempt(() => beginningOf(page, MAX_BYTES, constants.O_NOFOLLOW).toString()) ?? "")) {
      const address = parseGitAddress(link);
      if (address !== undefined) addresses.set(`${address.url.replace(/\.git$/, "")}#${address.commit ?? ""}`, address);
    }
  }
  const all = [...addresses.values()];
  const [only, ...others] = all.length > 1 ? all.filter(({ url }) => HOST.test(url)) : all;
  return others.length === 0 ? only : undefined;
}

/** Longer ones are no addresses of repositories. */
const MAX_LINK = 2000;

/** The addresses in a page, in its attributes and its text. */
function linksIn(html: string): string[] {
  const links = html.match(/https?:\/\/[^\s"'<>\\^`{|}]+/gi) ?? [];
  return links
    .filter(({ length }) => length <= MAX_LINK)
    .map((link) =>
      link
        .replaceAll("&amp;", "&")
        .replace(/(&nbsp;|&quot;|&#\d+;|&[lg]t;).*$/, "")
        .replace(/[).,;:!?\]]+$/, ""),
    );
}
