import { type Environment, run } from "../../host/command.ts";
import { PROTOCOLS } from "./git-address.ts";

const SSH_CONNECT_TIMEOUT_S = 15;

/** The options with which nothing of a repository runs, nothing asks, and files come as they were committed. */
export const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.autocrlf=false",
  "core.eol=lf",
  // A small repository stays packed too: its objects are read much faster.
  "fetch.unpackLimit=1",
  // Objects that are larger are not held in memory.
  "core.bigFileThreshold=16m",
  "gc.auto=0",
  "maintenance.auto=false",
  "fetch.recurseSubmodules=false",
  "credential.interactive=false",
  "tar.umask=0022",
  "http.lowSpeedLimit=1000",
  "http.lowSpeedTime=60",
].flatMap((setting) => ["-c", setting]);

/** The variables by which git, where a hook of git has started the grader, would mean the teacher's repository. */
const FOREIGN =
  "GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_NAMESPACE GIT_PREFIX GIT_QUARANTINE_PATH GIT_ATTR_SOURCE GIT_TRACE";

/** The environment in which git has the teacher's logins, keys and proxies, but asks for nothing. */
export async function environment(): Promise<Environment> {
  const { GIT_SSH_COMMAND, GIT_SSH } = process.env;
  const isSshSet = GIT_SSH_COMMAND ?? GIT_SSH ?? (await run(["git", "config", "core.sshCommand"])).stdout;
  return {
    ...Object.fromEntries(FOREIGN.split(" ").map((variable) => [variable, undefined])),
    LC_ALL: "C",
    GIT_ALLOW_PROTOCOL: PROTOCOLS.join(":"),
    GIT_TERMINAL_PROMPT: "0",
    // An empty one also keeps SSH_ASKPASS from opening a window (git's prompt.c); credential helpers are not asked by it.
    GIT_ASKPASS: "",
    GCM_INTERACTIVE: "never",
    GIT_LFS_SKIP_SMUDGE: "1",
    ...(isSshSet ? {} : { GIT_SSH_COMMAND: `ssh -o BatchMode=yes -o ConnectTimeout=${SSH_CONNECT_TIMEOUT_S}` }),
  };
}
