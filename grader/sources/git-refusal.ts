import { brief, type Outcome } from "../../host/command.ts";
import { Ungradable } from "../errors.ts";
import { printable } from "../text.ts";
import { type GitAddress, withoutPassword } from "./git-address.ts";

// What git, curl and ssh say, in the language C.
export const REACH =
  /could not resolve host|failed to connect|couldn't connect|could not connect|unable to connect|connection (refused|reset|timed out|closed)|timed out|timeout|network is unreachable|no route to host|temporary failure in name resolution|unable to look up|early EOF|returned error: (429|5\d\d)/i;
const NO_SPACE = /no space left on device|disk quota exceeded/i;
const NO_COMMIT = /couldn't find remote ref|not our ref|unadvertised object|does not point to a valid object/i;
const NO_ACCESS =
  /not found|does not exist|no such file|not appear to be a git repository|terminal prompts disabled|could not read (username|password)|authentication failed|permission denied|access denied|not valid: is this a git repository|returned error: 40[134]|repository not exported/i;

/**
 * What the teacher reads of a fetch that failed: one line.
 *
 * @param shown how the teacher calls the repository
 */
export function refusalOf(shown: string, { commit }: GitAddress, { code, stderr }: Outcome): Ungradable {
  const say = (words: string, passes = false) => new Ungradable(printable(`${shown}: ${words}`), passes);
  if (code === 127) return say("git is not installed on this machine");
  if (code === 124) return say("git was not done in time", true);
  if (REACH.test(stderr)) return say(`the server cannot be reached (${lastLine(stderr)})`, true);
  if (NO_SPACE.test(stderr)) return say("no space left on the device", true);
  if (NO_COMMIT.test(stderr)) return commit === undefined ? say("it is empty") : unknownCommit(shown, commit);
  if (NO_ACCESS.test(stderr))
    return say("there is no such repository, or it is private and git has no login for it here");
  return say(lastLine(stderr));
}

export const unknownCommit = (shown: string, commit = "HEAD"): Ungradable =>
  new Ungradable(printable(`${shown}: it has no commit, branch or tag ${commit}`));

const lastLine = (text: string): string => {
  const lines = text.trim().split("\n");
  return withoutPassword(
    brief(lines.findLast((line) => /^(fatal|error|remote|ssh):/.test(line)) ?? lines.at(-1) ?? ""),
  );
};
