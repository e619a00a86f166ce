// Lets the grader judge images that were pulled from a registry.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { run, runOrThrow } from "../host/command.ts";
import { Refusal } from "../host/refusal.ts";
import { SERVICES, type ServiceName } from "./builder.ts";

/**
 * Pulls the images, runs them as the Compose file says and grades them, `published` included.
 *
 * @param source a folder with the project's files; its Compose file is changed to run the images
 * @param images by digest
 * @param registry where the grader looks for the published images
 * @returns the report
 * @throws {Refusal} with the report, if anything is wrong
 */
export async function judge(source: string, images: Record<ServiceName, string>, registry: string): Promise<string> {
  for (const name of SERVICES) await runOrThrow(["docker", "pull", "--quiet", images[name]]);
  try {
    await useImages(join(source, "docker-compose.yaml"), images);
    const options = registry === "docker.io" ? [] : ["--registry", registry];
    const { code, stdout, stderr } = await run([process.execPath, "grader/main.ts", source, ...options]);
    if (code !== 0) throw new Refusal("the grader finds faults in what was pushed.", ...`${stdout}\n${stderr}`.split("\n"));
    return stdout.trim();
  } finally {
    await run(["docker", "image", "rm", ...Object.values(images)], { cleansUp: true });
  }
}

/** Without `build`, and with the images' digests, Compose runs what was pulled. */
async function useImages(file: string, images: Record<ServiceName, string>): Promise<void> {
  const compose = parse(await readFile(file, "utf8"), { merge: true });
  for (const name of SERVICES) {
    const { build: _, pull_policy: __, ...service } = compose.services[name];
    compose.services[name] = { ...service, image: images[name] };
  }
  await writeFile(file, JSON.stringify(compose));
}
