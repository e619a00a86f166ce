import { brief } from "../host/command.ts";
import { docker } from "../host/docker.ts";
import { isStandin } from "../host/standin.ts";
import { buildOptionsOf, type ComposeService, fullName } from "./compose-file.ts";
import { baseImagesOf } from "./dockerfile.ts";
import { Ungradable } from "./errors.ts";
import { isFile, ROLES, type Service, type Submission, textOf } from "./submission.ts";

const PULL_TIMEOUT_S = 600;

/** How the pulls of this run of the grader ended, by image: the message of a failure. A class often shares a few. */
const pulls = new Map<string, Promise<string | undefined>>();

/** What a registry says of an image that is not there, or not for everybody: then the build says so, to the student. */
const NOT_THERE = /not found|manifest unknown|denied|unauthorized|does not exist|invalid reference|no basic auth/i;

/** What the engine says if there is no registry to answer. */
const NOT_REACHED =
  /no such host|server misbehaving|temporary failure in name resolution|connection refused|network is unreachable|no route to host|timeout|deadline exceeded|killed after/i;

/** The script that builds stand-ins: what has it is a copy of this repository. */
const STANDIN_SCRIPT = "scripts/standin";

/**
 * Pulls the images that a submission is built on or uses, with the teacher's login: what Compose runs for a submission
 * has none.
 *
 * @throws {Ungradable} if the network, the registry or its limit is the cause of a failure, or a stand-in is not here
 */
export async function pullImages(submission: Submission): Promise<void> {
  for (const image of imagesOf(submission)) {
    if ((await docker(["image", "inspect", image])).code === 0) continue;
    if (isStandin(image)) throw new Ungradable(missingStandin(image));
    const pulling = pulls.get(image) ?? pull(image);
    pulls.set(image, pulling);
    const failure = await pulling;
    if (failure === undefined || NOT_THERE.test(failure)) continue;
    // It may pass: the next submission asks again.
    pulls.delete(image);
    const advice = NOT_REACHED.test(failure) ? `: ${withoutRegistry(submission)}` : "";
    throw new Ungradable(`${image} could not be pulled: ${brief(failure, 300)}${advice}`, true);
  }
}

const missingStandin = (image: string) =>
  `${image} is a stand-in that is not on this machine: if no registry is reached from here, make bases in the grader's folder builds it; else remove its line from the submission's .env (docs/proxy.md)`;

/** What to do where no registry answers. */
function withoutRegistry(submission: Submission): string {
  const advice = "no registry is reached, so it must be on this machine first: docker load it, or use another network";
  if (!isFile(submission, STANDIN_SCRIPT)) return advice;
  return `${advice}; or, as this is a copy of the grader's repository, give it the .env that make bases writes (docs/proxy.md)`;
}

async function pull(image: string): Promise<string | undefined> {
  const { code, stderr } = await docker(["pull", "--quiet", image], { seconds: PULL_TIMEOUT_S });
  return code === 0 ? undefined : stderr;
}

function imagesOf(submission: Submission): Set<string> {
  const built = ROLES.flatMap((role) => submission.services[role] ?? []).filter(({ dockerfile }) => dockerfile);
  const services = Object.entries(submission.config.services);
  const isBuilt = (name: string, { build }: ComposeService) =>
    build !== undefined || built.some((service) => service.name === name);
  const named = services
    .filter(([name, service]) => isBuilt(name, service))
    .map(([, { image = "" }]) => fullName(image));
  const others = services
    .filter(([name, service]) => !isBuilt(name, service))
    .flatMap(([, { image }]) => (image === undefined || named.includes(fullName(image)) ? [] : image));
  return new Set([...built.flatMap((service) => basesOf(submission, service)), ...others]);
}

/** The images that a service's Dockerfile starts or copies from. */
export const basesOf = (submission: Submission, { dockerfile = "", definition }: Service): string[] =>
  baseImagesOf(textOf(submission, dockerfile) ?? "", buildOptionsOf(definition));
