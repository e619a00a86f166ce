import { existsSync } from "node:fs";
import { docker } from "../../host/docker.ts";
import { Refusal } from "../../host/refusal.ts";
import type { Builder } from "../builder.ts";
import { findBuildah } from "./buildah.ts";
import { findBuildKit } from "./buildkit.ts";
import { inspectBuilder } from "./buildx.ts";

/** By the first word of the builder's name, in the order in which they are looked for. */
const FIND: Readonly<Record<string, () => Promise<Builder | undefined>>> = {
  buildkit: findBuildKit,
  buildah: findBuildah,
};

/**
 * The first builder on this machine that makes reproducible images for several platforms.
 *
 * @param wanted the kind of builder that an image was made with, as its provenance names it
 * @throws {Refusal} if there is none, with what to install
 */
export async function chooseBuilder(wanted?: string): Promise<Builder> {
  if (wanted !== undefined && !Object.hasOwn(FIND, wanted))
    throw new Refusal(`the image was built with ${wanted}; only ${Object.keys(FIND).join(" and ")} are known here.`);
  for (const [kind, find] of Object.entries(FIND)) {
    const builder = wanted === undefined || wanted === kind ? await find() : undefined;
    if (builder) return builder;
  }
  throw await refusal(wanted);
}

async function refusal(wanted: string | undefined): Promise<Refusal> {
  const found = await inspectBuilder();
  const why = "missing" in found ? found.missing : "";
  if (wanted === "buildah")
    return new Refusal("the image was built with Buildah, which is not installed.", installBuildah());
  if (wanted === "buildkit")
    return new Refusal(
      "the image was built with BuildKit, which is not here for several platforms.",
      why,
      await setUpBuildKit(),
    );
  return new Refusal(
    "no program on this machine builds images for several platforms.",
    why,
    "Docker's classic builder is no help: its images are for one platform, and other ones each time.",
    installBuildah(),
    await setUpBuildKit(),
  );
}

function installBuildah(): string {
  if (process.platform !== "linux") return "";
  if (existsSync("/etc/debian_version")) return "Install Buildah:  sudo apt-get install buildah";
  return "Install Buildah: https://github.com/containers/buildah/blob/main/install.md";
}

async function setUpBuildKit(): Promise<string> {
  const { stdout } = await docker(["info", "--format", "{{.OperatingSystem}}"]);
  if (stdout.trim() === "Docker Desktop")
    return 'Set up BuildKit: in the settings of Docker Desktop, under General, turn on "Use containerd for pulling and storing images".';
  return "Set up BuildKit, with Docker's plugin buildx:  docker buildx create --use";
}
