// BuildKit, Docker's builder, where it can build for several platforms: https://docs.docker.com/build/buildkit/
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { extract } from "tar";
import { Refusal } from "../../host/refusal.ts";
import type { Builder, BuildInputs } from "../builder.ts";
import { type Manifest, type PlatformName, readBlob, readLayerTar } from "../oci-layout.ts";
import { makeTemporaryFolder } from "../temporary.ts";
import type { BuiltConfig, BuiltImage } from "../write-layout.ts";
import { buildx, inspectBuilder } from "./buildx.ts";
import { saveImage } from "./save-image.ts";

/** The builder, if BuildKit is here and builds for several platforms. */
export async function findBuildKit(): Promise<Builder | undefined> {
  const found = await inspectBuilder();
  return "name" in found ? new BuildKit(found.name) : undefined;
}

/** What BuildKit builds. */
interface Build {
  readonly dockerfile: string;
  /** The folder whose files it may copy. */
  readonly context: string;
  readonly args: Readonly<Record<string, string>>;
}

/** An image as BuildKit writes it. */
interface Exported {
  readonly digest: string;
  readonly config: BuiltConfig;
  readonly layers: Manifest["layers"];
}

class BuildKit implements Builder {
  readonly #standins = new Map<string, string>();

  constructor(readonly name: string) {}

  async build(inputs: BuildInputs, folder: string): Promise<BuiltImage[]> {
    const images: BuiltImage[] = [];
    for (const platform of inputs.platforms) images.push(await this.#buildOne(inputs, platform, folder));
    return images;
  }

  async takeFromEngine(name: string): Promise<string> {
    const folder = await makeTemporaryFolder();
    const tar = join(folder, "image.tar");
    await saveImage(name, tar);
    await extract({ file: tar, cwd: folder });
    await rm(tar);
    const { digest } = await topDescriptor(folder).catch(() => {
      throw new Refusal(`the engine does not give the image ${name} in the OCI layout.`, "It can from version 25 on.");
    });
    return this.#use(name, folder, digest);
  }

  async buildStandin(context: string, name: string, platform: PlatformName): Promise<string> {
    const folder = await makeTemporaryFolder();
    // The same files make the same image.
    const args = { SOURCE_DATE_EPOCH: "0" };
    const build = { dockerfile: join(context, "Dockerfile"), context, args };
    const { digest } = await this.#export(build, platform, folder, ',"rewrite-timestamp=true"');
    return this.#use(name, folder, digest);
  }

  /** BuildKit may run where it does not see the engine's images: buildx hands it those that it asks for. */
  #use(name: string, folder: string, digest: string): string {
    this.#standins.set(name, `${name}=oci-layout://${folder}@${digest}`);
    return digest;
  }

  async #buildOne(inputs: BuildInputs, platform: PlatformName, folder: string): Promise<BuiltImage> {
    const { service, source, epoch, labels, bases } = inputs;
    const base = bases.runtime[platform];
    const own = join(folder, `${service}-${platform.replace("/", "-")}`);
    const { config: baseConfig } = await this.#exportBase(base.reference, platform, `${own}-base`);
    const args = { ...labels, BUN_IMAGE: bases.bun.reference, RUNTIME_IMAGE: base.reference };
    const dockerfile = `${service}/Dockerfile`;
    const build = { dockerfile: join(source, dockerfile), context: source, args };
    const { config, layers } = await this.#export(build, platform, own);
    const read = layers.map((layer) => async () => new Uint8Array(await readLayerTar(own, layer)));
    return { platform, dockerfile, epoch, base, baseConfig, config, layers: read };
  }

  /** The image that others are based on, as it is. */
  async #exportBase(reference: string, platform: PlatformName, folder: string): Promise<Exported> {
    const context = `${folder}-context`;
    const dockerfile = join(context, "Dockerfile");
    await mkdir(context);
    await writeFile(dockerfile, `FROM ${reference}\n`);
    return this.#export({ dockerfile, context, args: {} }, platform, folder);
  }

  /**
   * A build for one platform: stand-ins have a name for each. Not `docker buildx bake` with the Compose file: it reads
   * .env and the environment, and since buildx 0.20 it asks before it writes to another folder.
   */
  async #export({ dockerfile, context, args }: Build, platform: PlatformName, folder: string, times = "") {
    await buildx(
      "build",
      ...["--platform", platform, "--no-cache", "--provenance=false", "--sbom=false", "--progress", "plain"],
      ...["--output", `"type=oci","dest=${folder}","tar=false","compression=uncompressed"${times}`],
      ...[...this.#standins.values()].flatMap((layout) => ["--build-context", layout]),
      ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
      ...["--file", dockerfile, context],
    );
    return readExported(folder);
  }
}

const parse = (json: Buffer) => JSON.parse(json.toString());

/** Of the only image of a layout. */
const topDescriptor = async (folder: string): Promise<Manifest["config"]> =>
  parse(await readFile(join(folder, "index.json"))).manifests[0];

async function readExported(folder: string): Promise<Exported> {
  const descriptor = await topDescriptor(folder);
  const manifest: Manifest = parse(await readBlob(folder, descriptor));
  const config: BuiltConfig = parse(await readBlob(folder, manifest.config));
  return { digest: descriptor.digest, config, layers: manifest.layers };
}
