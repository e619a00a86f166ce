// Builds both services for all platforms, pushes and signs them, and judges what was pushed. scripts/publish runs it.
import { join } from "node:path";
import { Refusal } from "../host/refusal.ts";
import { isLoopback } from "./addresses.ts";
import { findBases, isStandin } from "./bases.ts";
import { buildLayout, LAYOUT_NAME } from "./build.ts";
import { type Builder, SERVICES, type ServiceName } from "./builder.ts";
import { chooseBuilder } from "./builders/choose.ts";
import { inTemporaryFolder, isPublished, writeCommit, writeWorkingTree } from "./checkout.ts";
import { runCommand, say } from "./command.ts";
import { judge } from "./judge.ts";
import { checkLogin } from "./login.ts";
import { type Layout, PLATFORMS } from "./oci-layout.ts";
import { digestOf, push, tag } from "./registry.ts";
import { readSettings, type Settings } from "./settings.ts";
import { findSigner, signAll } from "./sign.ts";

/** What was built of a service. */
type Built = Record<ServiceName, Layout>;

async function check({ repositories, account, runtimeImage, allowStandins, isDirty, commit, labels }: Settings) {
  if (isStandin(runtimeImage) && !allowStandins && !isLoopback(repositories["api-backend"]))
    throw new Refusal(
      `the base of the images would be ${runtimeImage}, a stand-in for where no registry can be reached.`,
      "To use the real one:  make clean, then make push",
      "To push it all the same:  make push ALLOW_STANDINS=yes",
    );
  for (const name of SERVICES) {
    say(`asking ${repositories[name]} whether it takes images`);
    await checkLogin(repositories[name], account);
  }
  if (isDirty)
    say(`warning: these files are not those of a commit: the version is ${labels.VERSION}, which nobody can rebuild`);
  else if (!(await isPublished(commit)))
    say(`warning: no branch of another repository has the commit ${commit}: nobody else can rebuild it. See:  git push`);
}

async function buildAll(settings: Settings, builder: Builder, folder: string): Promise<Built> {
  const source = join(folder, "source");
  await (settings.isDirty ? writeWorkingTree(source) : writeCommit(settings.commit, source));
  say(`looking for the base images ${settings.bunImage} and ${settings.runtimeImage}`);
  const bases = await findBases(builder, settings.bunImage, settings.runtimeImage);
  const { labels, epoch } = settings;
  const built: Partial<Built> = {};
  for (const service of SERVICES) {
    say(`building ${service} for ${PLATFORMS.join(" and ")} with ${builder.name} (about 15 s)`);
    const inputs = { service, source, platforms: PLATFORMS, epoch, labels, bases };
    built[service] = await buildLayout(builder, inputs, join(folder, service));
  }
  return built as Built;
}

/** A version stays what it was: whoever has noted it must not get something else. */
async function checkVersion({ repositories, labels, force }: Settings, built: Built): Promise<void> {
  for (const name of SERVICES) {
    const image = `${repositories[name]}:${labels.VERSION}`;
    const there = await digestOf(image);
    if (there === undefined || there === built[name].index.digest || force) continue;
    throw new Refusal(
      `${image} is there already, and is another image: ${there}, not ${built[name].index.digest}.`,
      "Give it a new version, in package.json; or overwrite it:  make push FORCE=1",
    );
  }
}

async function pushAll(settings: Settings): Promise<number> {
  const { repositories, labels } = settings;
  const signer = await findSigner(say);
  await check(settings);
  const builder = await chooseBuilder();
  return inTemporaryFolder(async (folder) => {
    const built = await buildAll(settings, builder, folder);
    await checkVersion(settings, built);
    const image = (name: ServiceName) => `${repositories[name]}@${built[name].index.digest}`;
    for (const name of SERVICES) {
      say(`pushing ${repositories[name]} (${megabytes(built[name])} MB)`);
      await push(built[name].folder, LAYOUT_NAME, repositories[name]);
      say(`signing it, and attaching what it holds and how it was built`);
      await signAll(settings, built[name], name, builder, signer);
      await tag(image(name), labels.VERSION);
    }
    const before = await Promise.all(SERVICES.map((name) => digestOf(`${repositories[name]}:latest`)));
    for (const name of SERVICES) await tag(image(name), "latest");
    say("pulling both images by their digests, and grading them (about a minute)");
    try {
      const images = { "api-backend": image("api-backend"), "api-frontend": image("api-frontend") };
      console.error(await judge(join(folder, "source"), images, settings.registry));
    } catch (error) {
      await moveBack(settings, before);
      throw error;
    }
    for (const name of SERVICES) print(`${repositories[name]}:${labels.VERSION}`, built[name]);
    return 0;
  });
}

/** Who pulls `latest` gets what worked. */
async function moveBack({ repositories }: Settings, before: readonly (string | undefined)[]): Promise<void> {
  for (const [i, name] of SERVICES.entries()) {
    const digest = before[i];
    if (digest === undefined) continue;
    await tag(`${repositories[name]}@${digest}`, "latest");
    say(`${repositories[name]}:latest is again what it was`);
  }
}

const megabytes = ({ images }: Layout) =>
  Math.round(images.flatMap(({ manifest }) => manifest.layers).reduce((sum, { size }) => sum + size, 0) / 1e6);

function print(image: string, { index, images }: Layout): void {
  console.log(`${image}, latest`);
  console.log(`  ${index.digest}`);
  for (const { platform, descriptor } of images) console.log(`  ${descriptor.digest}  ${platform}`);
  console.log(`  make verify IMAGE=${image.replace(/:[^:/]*$/, "")}@${index.digest}`);
}

await runCommand(() => pushAll(readSettings(process.env)));
