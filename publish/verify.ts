// Verifies a published image, or that this commit builds the same images every time. scripts/verify runs it.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { printable, Refusal } from "../host/refusal.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { fullName, repositoryOf, withTag } from "./addresses.ts";
import { claimedBases, findBases, ownBases } from "./bases.ts";
import { buildLayout, LAYOUT_NAME } from "./build.ts";
import { chooseBuilder } from "./builders/choose.ts";
import { installPackages } from "./bundle.ts";
import { checkProvenance } from "./check-provenance.ts";
import { haveCommit, writeCommit } from "./checkout.ts";
import { type Claims, readClaims } from "./claims.ts";
import { runCommand, say } from "./command.ts";
import { compareIndexes, compareLayouts } from "./compare.ts";
import { type StatementName, type Trust, verifySignature, verifyStatements } from "./cosign.ts";
import { digestOf as fileDigestOf } from "./image-files.ts";
import { type Layout, PLATFORMS, type PlatformName, readLayout } from "./oci-layout.ts";
import { digestOf, pull } from "./registry.ts";
import { readSettings, type Settings, sourceLabel } from "./settings.ts";
import { sbomOfImage } from "./statements.ts";
import { inTemporaryFolder } from "./temporary.ts";

const done = (line: string) => console.log(`✓ ${line}`);

/** Whose signature is expected: that of KEY, of an IDENTITY, or of the key in this folder. */
function readTrust({ KEY, IDENTITY, ISSUER }: NodeJS.ProcessEnv): Trust {
  if (IDENTITY) return { identity: IDENTITY, issuer: ISSUER || "https://token.actions.githubusercontent.com" };
  const key = KEY || "cosign.pub";
  if (!key.includes("://") && !existsSync(key))
    throw new Refusal(
      `${key}: there is no such file.`,
      "Name the publisher's public key:  make verify IMAGE=<image> KEY=<file>",
      "For an image that a workflow on GitHub has published:  make verify IMAGE=<image> IDENTITY=<the workflow's address>",
    );
  return { key };
}

interface Published {
  readonly layout: Layout;
  readonly claims: Claims;
  /** All that are validly signed: who reads one may read any of them. */
  readonly sboms: readonly Statement[];
  readonly provenances: readonly Statement[];
}

interface Statement {
  readonly platform: PlatformName;
  readonly predicate: object;
}

async function verify(name: string, trust: Trust): Promise<number> {
  const digest = name.includes("@") ? name.split("@")[1] : await digestOf(name);
  if (digest === undefined) throw new Refusal(`${name}: the registry has no such image.`);
  const image = `${repositoryOf(name)}@${digest}`;
  say(`verifying ${image}`);
  await verifySignature(image, trust);
  done(`the signature is valid: ${"key" in trust ? trust.key : trust.identity}`);
  return inTemporaryFolder(async (folder) => {
    say("pulling it, with what is said of it");
    const published = await readPublished(image, folder, trust);
    const { claims } = published;
    checkName(name, claims);
    done(`the provenance is validly signed: ${claims.service} ${claims.version}, from the commit ${claims.commit}`);
    done("the SBOMs are validly signed");
    const source = join(folder, "source");
    await haveCommit(claims.commit, claims.repository);
    await writeCommit(claims.commit, source);
    await tellBases(claims, source);
    const isSame = await compareWithRebuild(published, source, folder);
    const lockfile = fileDigestOf("sha256", await readFile(join(source, "bun.lock")));
    for (const { platform, predicate } of published.provenances)
      checkProvenance(predicate, platform, claims, lockfile, trust);
    // Builders do not copy them, but they are not of the commit.
    await installPackages(source);
    for (const { platform, sbom } of await sbomsAgain(published, source)) {
      const said = published.sboms.filter((one) => one.platform === platform);
      if (!said.every(({ predicate }) => isDeepStrictEqual(sbom, predicate)))
        throw new Refusal(`the SBOM for ${platform} does not list what is in the image.`);
    }
    done("the SBOMs list what is in the images");
    return isSame ? 0 : 1;
  });
}

/** Whoever can write to the registry can give an image the name or the version of another one, signature and all. */
function checkName(name: string, { service, version }: Claims): void {
  const repository = repositoryOf(name).split("/").at(-1) ?? "";
  if (SERVICES.some((other) => other === repository) && repository !== service)
    throw new Refusal(`${name} is ${service}.`);
  const tag = /:([^:/@]+)(@|$)/.exec(name)?.[1] ?? "";
  if (/^\d+\.\d+\.\d+/.test(tag) && tag !== version) throw new Refusal(`${name} is the version ${version}.`);
}

/** The rebuild takes the bases that the publisher names: if they are no good, it is the same image all the same. */
async function tellBases({ service, bunImage, runtimeImage, digests }: Claims, source: string): Promise<void> {
  const own = await ownBases(source, service);
  const runtime = Object.values(digests.runtime);
  for (const [name, used, its] of [
    [own.bun, bunImage, [digests.bun]],
    [own.runtime, runtimeImage, runtime],
  ] as const) {
    say(`it is built on ${used}, ${[...new Set(its)].join(" and ")}`);
    const [tag = "", pinned] = name.split("@");
    if (tag !== used) say(`warning: the commit names another base, ${name}: the publisher chose this one`);
    else if (pinned !== undefined && its.some((digest) => digest !== pinned))
      say(`warning: the commit names another digest of it, ${pinned}`);
  }
}

async function readPublished(image: string, folder: string, trust: Trust): Promise<Published> {
  const target = join(folder, "published");
  await pull(image, target, LAYOUT_NAME);
  const layout = await readLayout(target).catch((error: Error) => {
    throw new Refusal(
      `${image} is not as make push makes images: ${error.message.replaceAll(`${target}/`, "")}`,
      "Name the index, which has the images for all platforms, and not one of them.",
    );
  });
  const sboms: Statement[] = [];
  const provenances: Statement[] = [];
  for (const { platform, descriptor } of layout.images) {
    const one = `${repositoryOf(image)}@${descriptor.digest}`;
    const read = async (name: StatementName) =>
      (await verifyStatements(one, name, trust)).map((predicate) => ({ platform, predicate }));
    sboms.push(...(await read("sbom")));
    provenances.push(...(await read("provenance")));
  }
  return { layout, claims: agreedClaims(provenances), sboms, provenances };
}

/** @throws {Refusal} if one of several provenances of an image says something else than another one */
function agreedClaims(provenances: readonly Statement[]): Claims {
  const byPlatform = new Map(provenances.map(({ platform, predicate }) => [platform, predicate]));
  const claims = readClaims(byPlatform);
  for (const { platform, predicate } of provenances)
    if (!isDeepStrictEqual(readClaims(new Map(byPlatform).set(platform, predicate)), claims))
      throw new Refusal(`of the image for ${platform} two provenances are signed that contradict each other.`);
  return claims;
}

/** Builds the image again, and says where it differs. */
async function compareWithRebuild({ layout, claims }: Published, source: string, folder: string): Promise<boolean> {
  const builder = await chooseBuilder();
  const { service, hubUser, repository, version, commit, epoch } = claims;
  say(`building ${service} from ${commit} with ${builder.name} (about 20 s)`);
  const rebuilt = await buildLayout(
    builder,
    {
      service,
      source,
      platforms: PLATFORMS,
      epoch,
      labels: { HUB_USER: hubUser, SOURCE: sourceLabel(repository, hubUser), VERSION: version, REVISION: commit },
      bases: await claimedBases(builder, claims),
    },
    join(folder, "rebuilt"),
  );
  return report(layout, rebuilt, "the commit builds this image");
}

/** Prints for each platform whether two layouts are the same. */
async function report(first: Layout, second: Layout, what: string): Promise<boolean> {
  const comparisons = await compareLayouts(first, second);
  for (const { platform, digests, differences } of comparisons) {
    if (differences.length === 0) {
      done(`${what} for ${platform}: ${digests[0]}`);
      continue;
    }
    console.log(`✗ ${platform}: ${digests.join(" and ")} differ`);
    for (const difference of differences) console.log(`    ${printable(difference)}`);
  }
  const isSame = comparisons.every(({ differences }) => differences.length === 0);
  const inIndex = isSame ? await compareIndexes(first, second) : [];
  if (inIndex.length > 0) console.log(`✗ ${first.index.digest} and ${second.index.digest} differ`);
  for (const difference of inIndex) console.log(`    ${printable(difference)}`);
  return isSame && inIndex.length === 0;
}

const sbomsAgain = ({ layout, claims }: Published, source: string) =>
  Promise.all(
    layout.images.map(async (image) => ({
      platform: image.platform,
      sbom: await sbomOfImage(layout.folder, image, claims.service, source, claims.epoch),
    })),
  );

/** Builds both services twice, in two folders, and compares. */
async function verifyBuild(settings: Settings): Promise<number> {
  const { commit, labels, epoch, bunImage, runtimeImage } = settings;
  if (commit === "") throw new Refusal("this folder has no commit to build.", "Verify in a clone of the repository.");
  const builder = await chooseBuilder();
  say(`building ${commit} twice with ${builder.name} (about a minute)`);
  return inTemporaryFolder(async (folder) => {
    const bases = await findBases(builder, bunImage, runtimeImage);
    const build = async (service: ServiceName, where: string) => {
      const source = join(folder, where, service);
      await writeCommit(commit, source);
      const inputs = { service, source, platforms: PLATFORMS, epoch, labels: { ...labels, REVISION: commit }, bases };
      return buildLayout(builder, inputs, join(folder, where, `${service}-layout`));
    };
    let isSame = true;
    for (const service of SERVICES) {
      const first = await build(service, "first");
      const second = await build(service, "a second, elsewhere");
      isSame = (await report(first, second, `two builds of ${service} are the same`)) && isSame;
    }
    return isSame ? 0 : 1;
  });
}

const { IMAGE } = process.env;
await runCommand(async () =>
  IMAGE ? verify(withTag(fullName(IMAGE)), readTrust(process.env)) : verifyBuild(readSettings(process.env)),
);
