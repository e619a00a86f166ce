// Whether a registry takes the login, by asking it.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Refusal } from "../host/refusal.ts";
import { registryOf } from "./addresses.ts";
import { reasonOf, tryToWrite } from "./registry.ts";

/** A refusal may contain the name of a repository, which may be any word. */
const REFUSED = /denied|unauthorized|forbidden|\b40[13]\b|credential|insufficient/i;

/**
 * Asks a registry to take a few bytes for a repository.
 *
 * @throws {Refusal} in the registry's words, with what to do
 */
export async function checkLogin(repository: string, account: string): Promise<void> {
  const outcome = await tryToWrite(repository);
  if (outcome.code === 0) return;
  const registry = registryOf(repository);
  const message = `${registry} does not take images for ${repository}: ${reasonOf(outcome)}`;
  if (!REFUSED.test(outcome.stderr))
    throw new Refusal(message, `Is ${registry} reachable? To use another one:  make push LAB_REGISTRY=<host>`);
  const config = join(process.env.DOCKER_CONFIG || join(homedir(), ".docker"), "config.json");
  const helper = missingHelper(config, registry);
  throw new Refusal(
    message,
    helper ? `${config} names a program that keeps logins, ${helper}, and it is not installed.` : "",
    `Log in, with a password or token that may write:  docker login${registry === "docker.io" ? "" : ` ${registry}`} --username ${account}`,
    "Use another account:  make push HUB_USER=<account>",
    process.env.SUDO_USER ? `With sudo, root's login is used, not that of ${process.env.SUDO_USER}.` : "",
  );
}

/** The program that keeps the login for a registry, if it is not installed: clients do not say so. */
function missingHelper(config: string, registry: string): string | undefined {
  let names: { credsStore?: string; credHelpers?: Record<string, string> };
  try {
    names = JSON.parse(readFileSync(config, "utf8"));
  } catch {
    return undefined;
  }
  const key = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  const helpers = [names.credHelpers?.[key], names.credsStore]
    .filter(Boolean)
    .map((name) => `docker-credential-${name}`);
  return helpers.find((name) => Bun.which(name) === null);
}
