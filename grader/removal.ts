import { brief } from "../host/command.ts";
import { DockerError, docker } from "../host/docker.ts";

/** What a Compose project is made of, in the order in which the engine lets go of it. */
const KINDS = [
  { list: ["ps", "--all"], remove: ["rm", "--force", "--volumes"] },
  { list: ["network", "ls"], remove: ["network", "rm"] },
  { list: ["volume", "ls"], remove: ["volume", "rm"] },
];

/** Passes that are made before what is left is told. */
const PASSES = 10;

/** Milliseconds from one pass to the next. */
const PAUSE = 1000;

/**
 * Removes a Compose project and the images that are named after it.
 *
 * Not by `down`: that works off what it finds at its start, and misses what the engine is still about to do for a
 * command that was ended.
 *
 * @param settled whether no command was ended: else two passes, a second apart, must find nothing
 * @throws {DockerError} where something cannot be removed
 */
export async function removeProject(project: string, settled: boolean): Promise<void> {
  let trouble: string | undefined;
  for (let pass = 0, quiet = 0; pass < PASSES; pass++) {
    const { found, errors } = await removeOnce(project);
    trouble = errors[0];
    if (settled && trouble === undefined) return;
    quiet = found || trouble !== undefined ? 0 : quiet + 1;
    if (quiet === 2) return;
    await Bun.sleep(PAUSE);
  }
  throw new DockerError(`of the Compose project ${project} something is left: ${brief(trouble ?? "it comes again")}`);
}

async function removeOnce(project: string): Promise<{ found: boolean; errors: string[] }> {
  const errors: string[] = [];
  const attempt = async (...args: string[]) => {
    const { code, stdout, stderr } = await docker(args, { cleansUp: true });
    if (code !== 0) errors.push(stderr.trim());
    return stdout.split("\n").filter(Boolean);
  };
  let found = false;
  const label = ["--quiet", "--filter", `label=com.docker.compose.project=${project}`];
  for (const { list, remove } of KINDS) {
    const names = await attempt(...list, ...label);
    if (names.length > 0) await attempt(...remove, ...names);
    found ||= names.length > 0;
  }
  // By name: another submission's image may be the same one.
  const images = await attempt("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", `${project}/*`);
  if (images.length > 0) await attempt("image", "rm", "--force", ...images);
  return { found: found || images.length > 0, errors };
}
