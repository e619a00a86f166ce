import { existsSync } from "node:fs";
import { docker } from "../../host/docker.ts";
import { Refusal } from "../../host/refusal.ts";
import type { Builder } from "../builder.ts";
import { findBuildah } from "./buildah.ts";
import { findBuildKit } from "./buildkit.ts";
import { inspectBuilder } from "./buildx.ts";

/**
 * The first builder on this machine that builds for several platforms. All make the same images.
 *
 * @throws {Refusal} if there is none, with what to install
 */
export async function chooseBuilder(): Promise<Builder> {
  const builder = (await findBuildKit()) ?? (await findBuildah());
  if (builder) return builder;
  const found = await inspectBuilder();
  throw new Refusal(
    "no program on this machine builds images for several platforms.",
    "missing" in found ? found.missing : "",
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
