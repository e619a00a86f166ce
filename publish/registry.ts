// What is asked of registries, by ORAS, with the logins of the Docker client: https://oras.land
import { join } from "node:path";
import { brief, type Outcome, run } from "../host/command.ts";
import { Refusal } from "../host/refusal.ts";
import { registryOf } from "./addresses.ts";
import { inTemporaryFolder } from "./temporary.ts";
import { orasOptions } from "./transport.ts";

const TIMEOUT_S = 30;

/** Runs ORAS with an image's name, or with several options that precede it. */
async function oras(command: readonly string[], image: string, options: readonly string[] = [], seconds = TIMEOUT_S) {
  return run(["oras", ...command, ...options, image], { ownGroup: true, seconds });
}

/** What ORAS says of a response without an error in OCI's format, and of every request. */
const REQUEST = /(recognizable error message not found: )?\b(HEAD|GET|POST|PUT) "[^"]*": /gi;

/** ORAS 1.2 crashes if a registry refuses several files at a time, and does not say why. */
const CRASH = /^panic: /m;

/** What ORAS or Cosign says is wrong, on one line. */
export const reasonOf = ({ stdout, stderr }: Outcome): string =>
  CRASH.test(stderr)
    ? "it refuses files, perhaps for want of room"
    : brief(
        `${stderr}\n${stdout}`
          .trim()
          .split("\n")
          .filter((line) => !/^(Usage|Try|Run|Please|WARNING|error during command execution|$)/.test(line))
          .join(" ")
          .replace(/^Error:? (response from registry: )?/, "")
          .replace(REQUEST, ""),
        400,
      );

/**
 * The digest that a name stands for; `undefined` if there is no such image.
 *
 * @throws {Refusal} if the registry does not say
 */
export async function digestOf(image: string): Promise<string | undefined> {
  const outcome = await oras(["resolve"], image, await orasOptions(image));
  if (outcome.code === 0) return outcome.stdout.trim();
  // Of any other status it says that there is a "message not found".
  if (/: not found\s*$/.test(outcome.stderr)) return undefined;
  throw unreachable(image, outcome);
}

const unreachable = (image: string, outcome: Outcome) =>
  new Refusal(`${registryOf(image)} does not tell of ${image}: ${reasonOf(outcome)}`);

/**
 * Writes a blob of a few bytes: what a registry says to that, it would say to an image. They are new each time: what is
 * there already, nobody needs to be allowed to write.
 */
export async function tryToWrite(repository: string): Promise<Outcome> {
  return inTemporaryFolder(async (folder) => {
    const file = join(folder, "blob");
    await Bun.write(file, crypto.randomUUID());
    return run(["oras", "blob", "push", ...(await orasOptions(repository)), repository, file], {
      ownGroup: true,
      seconds: TIMEOUT_S,
    });
  });
}

/** An upload of 200 MB takes that long at 1 Mbit/s. */
const COPY_TIMEOUT_S = 1800;

/**
 * Copies the index of a layout, with all that it names, to a registry. It gets no tag.
 *
 * @throws {Refusal} in the registry's words
 */
export async function push(folder: string, name: string, repository: string): Promise<void> {
  const options = ["--from-oci-layout", ...(await orasOptions(repository, "to-"))];
  const outcome = await oras(["cp", ...options, `${folder}:${name}`], repository, [], COPY_TIMEOUT_S);
  if (outcome.code !== 0) throw new Refusal(`${repository} could not be pushed: ${reasonOf(outcome)}`);
}

/**
 * Copies an image with all its platforms into a layout.
 *
 * @throws {Refusal} in the registry's words
 */
export async function pull(image: string, folder: string, name: string): Promise<void> {
  const options = ["--to-oci-layout", ...(await orasOptions(image, "from-"))];
  const outcome = await oras(["cp", ...options, image], `${folder}:${name}`, [], COPY_TIMEOUT_S);
  if (outcome.code !== 0) throw new Refusal(`${image} could not be pulled: ${reasonOf(outcome)}`);
}

/**
 * @param cleansUp does it even after a Ctrl-C
 * @throws {Refusal} in the registry's words
 */
export async function tag(image: string, name: string, cleansUp = false): Promise<void> {
  const command = ["oras", "tag", ...(await orasOptions(image)), image, name];
  const outcome = await run(command, { ownGroup: true, cleansUp, seconds: TIMEOUT_S });
  if (outcome.code !== 0) throw new Refusal(`${image} could not be tagged ${name}: ${reasonOf(outcome)}`);
}
