// Builds both services for all platforms, pushes and signs them, and judges what was pushed. scripts/publish runs it.
import { join } from "node:path";
import { Refusal } from "../host/refusal.ts";
import { isStandin } from "../host/standin.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { isLoopback } from "./addresses.ts";
import { findBases } from "./bases.ts";
import { buildLayout, LAYOUT_NAME } from "./build.ts";
import { chooseBuilder } from "./builders/choose.ts";
import { isPublished, writeCommit, writeWorkingTree } from "./checkout.ts";
import { orUndo, runCommand, say } from "./command.ts";
import type { Signer } from "./cosign.ts";
import { judge } from "./judge.ts";
import { checkLogin } from "./login.ts";
import { type Layout, PLATFORMS, type PlatformName } from "./oci-layout.ts";
import { digestOf, push, tag } from "./registry.ts";
import { runOf } from "./run.ts";
import { readSettings, type Settings } from "./settings.ts";
import { findSigner, signAll } from "./sign.ts";
import { type Statements, statementsOf } from "./statements.ts";
import { inTemporaryFolder } from "./temporary.ts";

/** What was built, and what is said of it. */
interface Product {
  readonly layout: Layout;
  readonly statements: ReadonlyMap<PlatformName, Statements>;
}
type Products = Record<ServiceName, Product>;

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
    say(
      `warning: no branch of another repository has the commit ${commit}: nobody else can rebuild it. See:  git push`,
    );
}

/** Writes what is built: the commit, or these files as they are. */
const writeSource = ({ isDirty, commit }: Settings, folder: string) =>
  isDirty ? writeWorkingTree(folder) : writeCommit(commit, folder);

async function buildAll(settings: Settings, folder: string): Promise<Products> {
  const builder = await chooseBuilder();
  const source = join(folder, "source");
  await writeSource(settings, source);
  say(`looking for the base images ${settings.bunImage} and ${settings.runtimeImage}`);
  const bases = await findBases(builder, settings.bunImage, settings.runtimeImage);
  const { labels, epoch } = settings;
  const run = runOf(process.env);
  const products: Partial<Products> = {};
  for (const service of SERVICES) {
    say(`building ${service} for ${PLATFORMS.join(" and ")} with ${builder.name} (about 20 s)`);
    const startedOn = new Date();
    const inputs = { service, source, platforms: PLATFORMS, epoch, labels, bases };
    const layout = await buildLayout(builder, inputs, join(folder, service));
    say(`listing what is in ${service}`);
    const build = { service, settings, source, bases, builder, startedOn, finishedOn: new Date(), run };
    products[service] = { layout, statements: await statementsOf(build, layout) };
  }
  return products as Products;
}

/** A version stays what it was: whoever has noted it must not get something else. */
async function checkVersion({ repositories, labels, force }: Settings, products: Products): Promise<void> {
  for (const name of SERVICES) {
    const image = `${repositories[name]}:${labels.VERSION}`;
    const there = await digestOf(image);
    if (there === undefined || there === products[name].layout.index.digest || force) continue;
    throw new Refusal(
      `${image} is there already, and is another image: ${there}, not ${products[name].layout.index.digest}.`,
      "Give it a new version, in package.json; or overwrite it:  make push FORCE=1",
    );
  }
}

async function pushAll(settings: Settings): Promise<number> {
  const signer = await findSigner(say);
  await check(settings);
  return inTemporaryFolder(async (folder) => {
    const products = await buildAll(settings, folder);
    await checkVersion(settings, products);
    const images = await pushBoth(settings, products, signer);
    await moveLatest(settings, images, folder);
    for (const name of SERVICES) print(settings, name, products[name].layout);
    return 0;
  });
}

/** @throws {Refusal} that says what is published, and what is not */
async function pushBoth(settings: Settings, products: Products, signer: Signer): Promise<Record<ServiceName, string>> {
  const images = {} as Record<ServiceName, string>;
  try {
    for (const name of SERVICES) images[name] = await pushOne(settings, name, products[name], signer);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const published = SERVICES.filter((name) => name in images);
    const version = settings.labels.VERSION;
    throw new Refusal(
      error.message,
      ...error.hints,
      `${published.length === 0 ? "Nothing is" : `Only ${published.join()} is`} published as ${version}; latest is what it was.`,
      "What arrived is not sent again:  make push",
    );
  }
  return images;
}

/** The answer is the image, by its digest. */
async function pushOne(settings: Settings, name: ServiceName, { layout, statements }: Product, signer: Signer) {
  const repository = settings.repositories[name];
  const image = `${repository}@${layout.index.digest}`;
  say(`pushing ${repository} (${megabytes(layout)} MB)`);
  await push(layout.folder, LAYOUT_NAME, repository);
  say("signing it, and attaching what it holds and how it was built");
  await signAll(repository, layout, statements, signer);
  await tag(image, settings.labels.VERSION);
  return image;
}

/** Gives `latest` to the images, and takes it away again if the grader finds a fault in them. */
async function moveLatest(settings: Settings, images: Record<ServiceName, string>, folder: string): Promise<void> {
  const { repositories, account, registry } = settings;
  const before = await Promise.all(SERVICES.map((name) => digestOf(`${repositories[name]}:latest`)));
  const move = async () => {
    for (const name of SERVICES) await tag(images[name], "latest");
    say("pulling both images by their digests, and grading them (about a minute)");
    const submission = join(folder, "submission");
    await writeSource(settings, submission);
    console.error(await judge(submission, images, account, registry));
  };
  await orUndo(move, () => moveBack(settings, before));
}

/** Who pulls `latest` gets what worked. */
async function moveBack({ repositories }: Settings, before: readonly (string | undefined)[]): Promise<void> {
  for (const [i, name] of SERVICES.entries()) {
    const digest = before[i];
    const latest = `${repositories[name]}:latest`;
    try {
      // Registries can delete an image, and not only its tag.
      if (digest === undefined) say(`warning: ${latest} was not there before, and may name what is not good`);
      else await tag(`${repositories[name]}@${digest}`, "latest", true);
      if (digest !== undefined) say(`${latest} is again what it was`);
    } catch {
      say(`warning: ${latest} could not be given back to ${digest}`);
    }
  }
}

const megabytes = ({ images }: Layout) =>
  Math.round(images.flatMap(({ manifest }) => manifest.layers).reduce((sum, { size }) => sum + size, 0) / 1e6);

/** Prints addresses and digests, and how to verify them. */
function print({ repositories, labels }: Settings, name: ServiceName, { index, images }: Layout): void {
  console.log(`${repositories[name]}:${labels.VERSION}`);
  console.log(`${repositories[name]}:latest`);
  console.log(`  ${index.digest}`);
  for (const { platform, descriptor } of images) console.log(`  ${descriptor.digest}  ${platform}`);
  console.log(`  make verify IMAGE=${repositories[name]}@${index.digest}`);
}

await runCommand(async () => pushAll(readSettings(process.env)));
