// The base images of a build: which ones exactly, for every platform.
import { join } from "node:path";
import { run } from "../host/command.ts";
import { Refusal } from "../host/refusal.ts";
import { isStandin } from "../host/standin.ts";
import { fullName } from "./addresses.ts";
import type { BaseImage, Bases, Builder } from "./builder.ts";
import type { Claims } from "./claims.ts";
import { PLATFORMS, type PlatformName } from "./oci-layout.ts";
import { digestOf } from "./registry.ts";
import { inTemporaryFolder } from "./temporary.ts";

const NATIVE: PlatformName = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";

/**
 * Finds the base images, and fixes what their tags mean now: all images of a build are then based on the same.
 *
 * @throws {Refusal} if one is in no registry
 */
export async function findBases(builder: Builder, bunImage: string, runtimeImage: string): Promise<Bases> {
  const bun = isStandin(bunImage) ? await standin(builder, bunImage, NATIVE) : await fromRegistry(bunImage);
  // A registry has one name for all platforms, and is asked once what it means.
  const found = isStandin(runtimeImage) ? undefined : await fromRegistry(runtimeImage);
  const runtime: Partial<Record<PlatformName, BaseImage>> = {};
  for (const platform of PLATFORMS) runtime[platform] = found ?? (await standin(builder, runtimeImage, platform));
  return { bun, runtime: runtime as Record<PlatformName, BaseImage> };
}

/** The base images that the Dockerfile of a checkout names, if nobody sets others. */
export async function ownBases(source: string, service: string): Promise<{ bun: string; runtime: string }> {
  const dockerfile = await Bun.file(join(source, service, "Dockerfile")).text();
  const value = (name: string) => fullName(new RegExp(`^ARG ${name}=(\\S+)`, "m").exec(dockerfile)?.[1] ?? "none");
  return { bun: value("BUN_IMAGE"), runtime: value("RUNTIME_IMAGE") };
}

/**
 * The base images that a provenance names.
 *
 * @throws {Refusal} if one was a stand-in, and is not the one of this machine
 */
export async function claimedBases(builder: Builder, { bunImage, runtimeImage, digests }: Claims): Promise<Bases> {
  const find = async (name: string, digest: string | undefined, platform: PlatformName): Promise<BaseImage> => {
    if (digest === undefined) throw new Refusal(`no provenance names the base for ${platform}.`);
    if (!isStandin(name)) return { name, digest, reference: `${name}@${digest}` };
    const here = await standin(builder, name, platform);
    if (here.digest !== digest)
      throw new Refusal(`it was built on ${name} with the digest ${digest}, a stand-in that this machine has not.`);
    return here;
  };
  const runtime: Partial<Record<PlatformName, BaseImage>> = {};
  for (const platform of PLATFORMS) runtime[platform] = await find(runtimeImage, digests.runtime[platform], platform);
  return { bun: await find(bunImage, digests.bun, NATIVE), runtime: runtime as Record<PlatformName, BaseImage> };
}

async function fromRegistry(name: string): Promise<BaseImage> {
  const [tag = "", pinned] = fullName(name).split("@");
  const digest = pinned ?? (await digestOf(tag));
  if (digest === undefined) throw new Refusal(`the base image ${name} is in no registry.`);
  return { name: tag, digest, reference: `${tag}@${digest}` };
}

/** A stand-in for this machine's processor is on the engine; for another one its files are put together here. */
async function standin(builder: Builder, name: string, platform: PlatformName): Promise<BaseImage> {
  if (platform === NATIVE) return { name, digest: await builder.takeFromEngine(name), reference: name };
  const architecture = platform.replace("linux/", "");
  return inTemporaryFolder(async (folder) => {
    const script = ["sh", "scripts/standin", "RUNTIME_IMAGE", join(folder, "root.tar"), architecture];
    const { code, stderr } = await run(script);
    if (code !== 0)
      throw new Refusal(`the stand-in ${name} for ${platform} cannot be built.`, ...stderr.trim().split("\n"));
    await Bun.write(join(folder, "Dockerfile"), STANDIN);
    const reference = `${name}-${architecture}`;
    return { name, digest: await builder.buildStandin(folder, reference, platform), reference };
  });
}

const STANDIN = 'FROM scratch\nADD root.tar /\nLABEL tpdocker.image="standin"\nUSER 65532\nWORKDIR /\n';
