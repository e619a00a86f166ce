// Whether this machine can judge at all: the engine may run on another one, or this program in a container beside it.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brief } from "../host/command.ts";
import { bindMount, docker } from "../host/docker.ts";
import { removeProject } from "../host/removal.ts";
import { freePort } from "../host/tcp.ts";
import { Ungradable } from "./errors.ts";
import { helperImage } from "./helper-image.ts";
import { get } from "./http.ts";
import { once } from "./once.ts";
import { Skipped } from "./rule.ts";
import { SESSION } from "./session.ts";
import { createWorkFolder, removeWorkFolder } from "./work-folder.ts";

const TIMEOUT_S = 10;

/** Names the check's container. */
const REACH_PROJECT = `${SESSION}reach`;
let isStarted = false;

/** Removes what an interrupted check has left. */
export async function removeReach(): Promise<void> {
  if (isStarted) await removeProject(REACH_PROJECT);
}

/**
 * Checks once that the engine sees this machine's folders, and that the ports that it publishes can be reached from here:
 * if not, every submission would fail, through no fault of its own.
 *
 * @throws {Ungradable} if one of them is not so
 */
export const requireReach = once(check);

async function check(): Promise<void> {
  let image: string;
  try {
    image = await helperImage();
  } catch (error) {
    // Without the image it is not known.
    if (error instanceof Skipped) return;
    throw error;
  }
  const work = createWorkFolder();
  // Root in the container is another user than this one, and may be none that could read the folder of the grading.
  const folder = join(work, "seen");
  const token = crypto.randomUUID();
  mkdirSync(folder);
  writeFileSync(join(folder, "index.html"), token);
  chmodSync(folder, 0o755);
  chmodSync(join(folder, "index.html"), 0o644);
  try {
    await checkWith(image, folder, token);
  } finally {
    await removeWorkFolder(work);
  }
}

async function checkWith(image: string, folder: string, token: string): Promise<void> {
  const port = await freePort();
  const label = ["--label", `com.docker.compose.project=${REACH_PROJECT}`];
  const options = [
    "--detach",
    "--rm",
    "--name",
    REACH_PROJECT,
    ...label,
    "--user",
    "0",
    "--cap-drop",
    "ALL",
    "--read-only",
  ];
  const reach = ["--publish", `127.0.0.1:${port}:80`, ...bindMount(folder, "/seen", "readonly")];
  // It ends by itself if an interruption leaves it behind.
  const server = ["/bin/busybox", "timeout", "30", "/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/seen"];
  isStarted = true;
  try {
    const { code, stderr } = await docker(["run", ...options, ...reach, image, ...server]);
    if (/source path does not exist/.test(stderr)) throw notSeen(folder);
    if (code !== 0) throw new Ungradable(`the engine starts no container here: ${brief(stderr, 300)}`, true);
    let result = await get(`http://127.0.0.1:${port}/`, TIMEOUT_S);
    for (const end = Date.now() + TIMEOUT_S * 1000; "error" in result && Date.now() < end; await Bun.sleep(100))
      result = await get(`http://127.0.0.1:${port}/`, TIMEOUT_S);
    if ("error" in result)
      throw new Ungradable(
        `ports that the engine publishes on 127.0.0.1 cannot be reached from here (${result.error.en}): run the grader on the engine's machine, not in a container`,
      );
    if (result.body !== token) throw notSeen(folder);
  } finally {
    await docker(["rm", "--force", REACH_PROJECT], { cleansUp: true });
  }
}

const notSeen = (folder: string) =>
  new Ungradable(
    `the engine does not see the folder for temporary files, ${folder}: set TMPDIR to one that it sees, for example in your home`,
  );
