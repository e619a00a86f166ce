// The image of the containers in which the grader looks at processes: busybox, and nothing of the submission's.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import busybox from "../.cache/grader-busybox" with { type: "file" };
import { brief, type Options } from "../host/command.ts";
import { DockerError, docker } from "../host/docker.ts";
import { shared } from "./once.ts";
import { Skipped } from "./rule.ts";
import { tarOf } from "./tar.ts";
import { text } from "./text.ts";
import { createWorkFolder, removeWorkFolder } from "./work-folder.ts";

/** Used where the embedded executable cannot run. */
const PUBLISHED = "docker.io/library/busybox:1.37.0-musl";
const PULL_TIMEOUT_S = 60;

/** The engine's names of the processors, by Bun's. */
const ARCHITECTURE: Partial<Record<NodeJS.Architecture, string>> = { x64: "amd64", arm64: "arm64" };

const exists = async (image: string, options: Options) =>
  (await docker(["image", "inspect", image], options)).code === 0;

/**
 * Makes sure that the engine has an image with busybox in /bin.
 *
 * @param options.cleansUp makes it even after `cancelCommands`
 * @returns the image's name
 * @throws {Skipped} if it can be neither made nor pulled
 * @throws {DockerError} if the engine does not accept the image
 */
export async function helperImage(options: Pick<Options, "cleansUp"> = {}): Promise<string> {
  const executable = readFileSync(busybox);
  const hash = new Bun.CryptoHasher("sha256").update(executable).digest("hex");
  const image = `localhost/tpdocker-grader/busybox:${hash.slice(0, 12)}`;
  if (await exists(image, options)) return image;
  if (executable.length > 0 && (await runsHere(options))) {
    await importImage(image, executable, options);
    return image;
  }
  if (!(await exists(PUBLISHED, options))) await pull(options);
  return PUBLISHED;
}

/** Whether the engine runs executables of this process's architecture. */
async function runsHere(options: Options): Promise<boolean> {
  const { stdout } = await docker(["version", "--format", "{{.Server.Arch}}"], options);
  return stdout.trim() === ARCHITECTURE[process.arch];
}

/** Shared by the gradings of this process: each import would make another image. One may have ended since we looked. */
const importImage = shared(async (image: string, executable: Uint8Array, options: Options): Promise<void> => {
  if (await exists(image, options)) return;
  const folder = createWorkFolder();
  const archive = join(folder, "image.tar");
  writeFileSync(archive, tarOf("bin/busybox", executable));
  try {
    // scripts/clean finds it by its label.
    const label = ["--change", "LABEL tpdocker.image=grader"];
    const { code, stderr } = await docker(["import", ...label, archive, image], options);
    if (code !== 0) throw new DockerError(`docker import: ${brief(stderr)}`);
  } finally {
    await removeWorkFolder(folder);
  }
});

async function pull(options: Options): Promise<void> {
  const { code, stderr } = await docker(["pull", PUBLISHED], { ...options, seconds: PULL_TIMEOUT_S });
  if (code === 0) return;
  const why = `${PUBLISHED}: ${brief(stderr)}`;
  throw new Skipped(
    text(
      `the processes of the containers cannot be seen without the image ${why}`,
      `les processus des conteneurs ne sont pas visibles sans l'image ${why}`,
    ),
  );
}
