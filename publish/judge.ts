// Lets the grader judge images that were pulled from a registry.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brief, run } from "../host/command.ts";
import { Refusal } from "../host/refusal.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { orUndo } from "./command.ts";

/**
 * Pulls the images, and lets the grader run and grade them, `published` included.
 *
 * @param source a folder with the project's files; its Dockerfiles are changed
 * @param images by digest
 * @param registry where the grader looks for the published images
 * @returns the report
 * @throws {Refusal} with the report, if anything is wrong
 */
export async function judge(
  source: string,
  images: Readonly<Record<ServiceName, string>>,
  account: string,
  registry: string,
): Promise<string> {
  const remove = async () => {
    await run(["docker", "image", "rm", ...Object.values(images)], { cleansUp: true });
  };
  const report = await orUndo(() => pullAndGrade(source, images, account, registry), remove);
  await remove();
  return report;
}

async function pullAndGrade(
  source: string,
  images: Readonly<Record<ServiceName, string>>,
  account: string,
  registry: string,
): Promise<string> {
  for (const name of SERVICES) {
    const pulled = await run(["docker", "pull", "--quiet", images[name]]);
    if (pulled.code !== 0) throw new Refusal(`the engine cannot pull ${images[name]}: ${brief(pulled.stderr)}`);
    // What is graded is what was pulled; the grader asks each Dockerfile for the label.
    const dockerfile = `FROM ${images[name]}\nLABEL hub_url="docker.io/${account}/${name}"\n`;
    await writeFile(join(source, name, "Dockerfile"), dockerfile);
  }
  const options = registry === "docker.io" ? [] : ["--registry", registry];
  // Of a Ctrl-C it must hear once: the second one would end it before it has removed its containers.
  const { code, stdout, stderr } = await run([process.execPath, "grader/main.ts", source, ...options], {
    ownGroup: true,
  });
  if (code !== 0)
    throw new Refusal("the grader finds faults in what was pushed.", ...`${stdout}\n${stderr}`.split("\n"));
  return stdout.trim();
}
