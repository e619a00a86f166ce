// Buildah, where BuildKit has no builder for several platforms: https://buildah.io
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Environment, run } from "../../host/command.ts";
import { Refusal } from "../../host/refusal.ts";
import { isLoopback } from "../addresses.ts";
import type { BaseImage, Builder, BuildInputs } from "../builder.ts";
import type { PlatformName } from "../oci-layout.ts";
import { inTemporaryFolder, makeTemporaryFolder } from "../temporary.ts";
import type { BuiltConfig, BuiltImage } from "../write-layout.ts";
import { saveImage } from "./save-image.ts";

let folder: Promise<string> | undefined;

/** For all that it keeps, for as long as the command runs. */
function ownFolder(): Promise<string> {
  folder ??= makeTemporaryFolder();
  return folder;
}

/** Its images are kept apart from those of the user. vfs and chroot need no privileges. */
async function storage(): Promise<string[]> {
  const own = await ownFolder();
  return ["--storage-driver", "vfs", "--root", join(own, "root"), "--runroot", join(own, "run")];
}

/** Buildah demands the file with the logins where DOCKER_CONFIG says that it is; the Docker client does not. */
const env: Environment = existsSync(join(process.env.DOCKER_CONFIG ?? "", "config.json"))
  ? {}
  : { DOCKER_CONFIG: undefined };

const buildah = (...args: string[]) => buildahIn(process.cwd(), ...args);

/**
 * Runs Buildah in a folder: it takes a comma in the path of a Dockerfile for the end of it.
 *
 * @throws {Refusal} with the end of what it printed
 */
async function buildahIn(cwd: string, ...args: string[]): Promise<string> {
  const [command = "", ...rest] = args;
  const { code, stdout, stderr } = await run(["buildah", ...(await storage()), command, ...rest], {
    cwd,
    // What it leaves there when it is interrupted goes with the rest.
    env: { ...env, TMPDIR: await ownFolder() },
    ownGroup: true,
  });
  if (code === 0) return stdout.trim();
  const lines = `${stdout}\n${stderr}`.trim().split("\n").slice(-15);
  throw new Refusal(`buildah ${command} failed with exit code ${code}.`, ...lines);
}

/** The builder, if Buildah is installed. */
export async function findBuildah(): Promise<Builder | undefined> {
  // Even for this it makes folders, if a user who is not root has no XDG_RUNTIME_DIR.
  const { code, stdout } = await run(["buildah", "--version"], { env: { TMPDIR: await ownFolder() } });
  if (code !== 0) return undefined;
  const version = /version (\S+)/.exec(stdout)?.[1] ?? "unknown";
  return {
    name: `buildah ${version}`,
    async build(inputs, folder) {
      const images: BuiltImage[] = [];
      for (const platform of inputs.platforms) images.push(await buildOne(inputs, platform, folder));
      return images;
    },
    takeFromEngine,
    async buildStandin(folder, name, platform) {
      // The same files make the same image.
      const options = ["--platform", platform, "--timestamp", "0", "--identity-label=false"];
      return `sha256:${await buildah("build", "--quiet", ...options, "--tag", name, folder)}`;
    },
  };
}

/** By the Docker client: Buildah itself reads neither DOCKER_HOST nor the client's contexts. */
const takeFromEngine = (name: string) =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "image.tar");
    await saveImage(name, file);
    return `sha256:${await buildah("pull", "--quiet", `docker-archive:${file}`)}`;
  });

async function buildOne(inputs: BuildInputs, platform: PlatformName, folder: string): Promise<BuiltImage> {
  const { service, source, epoch, labels, bases } = inputs;
  const base = bases.runtime[platform];
  const args = {
    ...labels,
    // It does not set it by itself.
    BUILDPLATFORM: `linux/${process.arch === "arm64" ? "arm64" : "amd64"}`,
    BUN_IMAGE: bases.bun.reference,
    RUNTIME_IMAGE: base.reference,
  };
  const image = `localhost/tpdocker-build/${service}:${platform.split("/")[1]}`;
  await buildahIn(
    source,
    "build",
    // The bases are given by digest: one that is here is the right one.
    ...["--platform", platform, "--isolation", "chroot", "--no-cache", "--pull=missing"],
    // OCI's format has no health check.
    ...["--format", "docker", "--timestamp", String(epoch), "--identity-label=false"],
    ...insecure(bases.bun, base),
    ...(await limits()),
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...["--file", `${service}/Dockerfile`, "--tag", image, "."],
  );
  const exported = join(folder, `${service}-${platform.replace("/", "-")}`);
  await mkdir(folder, { recursive: true });
  await buildah("push", "--disable-compression", "--quiet", image, `dir:${exported}`);
  await buildah("rmi", "--force", image);
  const baseConfig = await readBase(base, platform);
  const dockerfile = `${service}/Dockerfile`;
  return { platform, dockerfile, epoch, base, baseConfig, ...(await readExported(exported)) };
}

/** Of a container: the name of an image stands for the platform that was pulled last. */
async function readBase(base: BaseImage, platform: PlatformName): Promise<BuiltConfig> {
  const options = ["--platform", platform, "--pull=missing", ...insecure(base)];
  const container = await buildah("from", ...options, base.reference);
  try {
    return JSON.parse(await buildah("inspect", container)).OCIv1;
  } finally {
    await buildah("rm", container);
  }
}

/** From 1.39 on, Buildah would raise these limits to 1,048,576, for which not every root has the right. */
async function limits(): Promise<string[]> {
  const own = await readFile("/proc/self/limits", "utf8");
  const option = (name: string, field: string, most: number) => {
    const hard = Number(new RegExp(`^${field} +\\S+ +(\\d+)`, "m").exec(own)?.[1] ?? most);
    const value = Math.min(hard, most);
    return ["--ulimit", `${name}=${value}:${value}`];
  };
  return [...option("nofile", "Max open files", 1024), ...option("nproc", "Max processes", 32_768)];
}

/** Registries of this machine are reached without TLS. */
const insecure = (...images: readonly BaseImage[]) =>
  images.some(({ name }) => isLoopback(name)) ? ["--tls-verify=false"] : [];

interface Exported {
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** Reads what `buildah push … dir:` writes: a manifest, and a file for each blob. */
async function readExported(folder: string): Promise<Pick<BuiltImage, "config" | "layers">> {
  const file = (digest: string) => join(folder, digest.replace("sha256:", ""));
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Exported;
  const config = JSON.parse(await readFile(file(manifest.config.digest), "utf8")) as BuiltConfig;
  const layers = manifest.layers.map(
    ({ digest }) =>
      async () =>
        new Uint8Array(await readFile(file(digest))),
  );
  return { config, layers };
}
