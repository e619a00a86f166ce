import { brief } from "./command.ts";
import { DockerError, docker, dockerOrThrow } from "./docker.ts";

/** What a Compose project consists of; the engine removes a network or volume only after its containers. */
const KINDS = [
  { list: ["ps", "--all"], remove: ["rm", "--force", "--volumes"] },
  { list: ["network", "ls"], remove: ["network", "rm"] },
  { list: ["volume", "ls"], remove: ["volume", "rm"] },
];

const MAX_PASSES = 10;
const PAUSE_MS = 1000;

/**
 * Removes a Compose project and the images that are named after it. `compose down` would not do: it only removes what
 * exists when it starts, but the engine may still be creating a container for a command that was killed.
 *
 * @param options.interrupted whether commands were killed: if so, two passes in a row must find nothing
 * @throws {DockerError} if something cannot be removed
 */
export async function removeProject(project: string, { interrupted = false } = {}): Promise<void> {
  let lastError: string | undefined;
  for (let pass = 0, emptyPasses = 0; pass < MAX_PASSES; pass++) {
    const { found, errors } = await removeOnce(project);
    lastError = errors[0];
    if (!interrupted && lastError === undefined) return;
    emptyPasses = found || lastError !== undefined ? 0 : emptyPasses + 1;
    if (emptyPasses === 2) return;
    await Bun.sleep(PAUSE_MS);
  }
  const reason = lastError ?? "the engine keeps creating parts of it";
  throw new DockerError(`the Compose project ${project} could not be removed: ${brief(reason)}`);
}

/**
 * Removes all Compose projects whose names begin with that of a session, as a process that was killed has left them.
 *
 * @throws {DockerError} if something cannot be removed
 */
export async function removeSession(session: string): Promise<void> {
  const project = '{{.Label "com.docker.compose.project"}}';
  const images = dockerOrThrow("image", "ls", "--format", "{{.Repository}}", `${session}*/*`);
  const lists = KINDS.map(({ list }) => dockerOrThrow(...list, "--format", project));
  const names = (await Promise.all([images, ...lists])).join("\n").split("\n");
  const projects = new Set(names.map((name) => name.split("/", 1)[0] ?? "").filter((name) => name.startsWith(session)));
  for (const name of projects) await removeProject(name);
}

async function removeOnce(project: string): Promise<{ found: boolean; errors: string[] }> {
  const errors: string[] = [];
  const linesOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(args, { cleansUp: true });
    if (code !== 0) errors.push(stderr.trim());
    return stdout.split("\n").filter(Boolean);
  };
  let found = false;
  const ofProject = ["--quiet", "--filter", `label=com.docker.compose.project=${project}`];
  for (const { list, remove } of KINDS) {
    const ids = await linesOf(...list, ...ofProject);
    if (ids.length > 0) await linesOf(...remove, ...ids);
    found ||= ids.length > 0;
  }
  // By name, because another submission's image may have the same id.
  const images = await linesOf("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", `${project}/*`);
  if (images.length > 0) await linesOf("image", "rm", "--force", ...images);
  return { found: found || images.length > 0, errors };
}
