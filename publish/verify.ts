// Verifies a published image, or that this commit builds the same images every time. scripts/verify runs it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Refusal } from "../host/refusal.ts";
import { fullName, repositoryOf, withTag } from "./addresses.ts";
import { claimedBases, findBases } from "./bases.ts";
import { buildLayout, LAYOUT_NAME } from "./build.ts";
import { SERVICES, type ServiceName } from "./builder.ts";
import { chooseBuilder } from "./builders/choose.ts";
import { installPackages } from "./bundle.ts";
import { haveCommit, writeCommit } from "./checkout.ts";
import { type Claims, readClaims } from "./claims.ts";
import { runCommand, say } from "./command.ts";
import { compareLayouts } from "./compare.ts";
import { type Trust, verifySignature, verifyStatement } from "./cosign.ts";
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
  readonly sboms: ReadonlyMap<PlatformName, object>;
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
    done(`the provenance is validly signed: ${claims.service} ${claims.version}, from the commit ${claims.commit}`);
    done("the SBOMs are validly signed");
    const source = join(folder, "source");
    await haveCommit(claims.commit, claims.repository);
    await writeCommit(claims.commit, source);
    const isSame = await compareWithRebuild(published, source, folder);
    // Builders do not copy them, but they are not of the commit.
    await installPackages(source);
    for (const { platform, sbom } of await sbomsAgain(published, source)) {
      if (!isDeepStrictEqual(sbom, published.sboms.get(platform)))
        throw new Refusal(`the SBOM for ${platform} does not list what is in the image.`);
    }
    done("the SBOMs list what is in the images");
    return isSame ? 0 : 1;
  });
}

async function readPublished(image: string, folder: string, trust: Trust): Promise<Published> {
  const target = join(folder, "published");
  await pull(image, target, LAYOUT_NAME);
  const layout = await readLayout(target);
  const sboms = new Map<PlatformName, object>();
  const provenances = new Map<PlatformName, object>();
  for (const { platform, descriptor } of layout.images) {
    const one = `${repositoryOf(image)}@${descriptor.digest}`;
    sboms.set(platform, await verifyStatement(one, "sbom", trust));
    provenances.set(platform, await verifyStatement(one, "provenance", trust));
  }
  return { layout, claims: readClaims(provenances), sboms };
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
      platforms: layout.images.map(({ platform }) => platform),
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
    for (const difference of differences) console.log(`    ${difference}`);
  }
  return comparisons.every(({ differences }) => differences.length === 0);
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
    const build = async (service: ServiceName, where: string) => {
      const source = join(folder, where, service);
      await writeCommit(commit, source);
      const bases = await findBases(builder, bunImage, runtimeImage);
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
