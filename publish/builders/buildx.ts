// The Docker client's plugin that talks to BuildKit: https://docs.docker.com/build/
import { brief, type Outcome, run } from "../../host/command.ts";
import { docker } from "../../host/docker.ts";
import { Refusal } from "../../host/refusal.ts";

/** Creating a container of BuildKit may pull its image first. */
const START_S = 180;

const start = (args: readonly string[], seconds?: number): Promise<Outcome> =>
  run(["docker", "buildx", ...args], {
    // buildx makes a build argument of it.
    env: { SOURCE_DATE_EPOCH: undefined },
    ownGroup: true,
    ...(seconds === undefined ? {} : { seconds }),
  });

/** @throws {Refusal} with the end of what it printed */
export async function buildx(...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await start(args);
  if (code === 0) return;
  const lines = `${stdout}\n${stderr}`.trim().split("\n").slice(-15);
  throw new Refusal(`docker buildx ${args[0]} failed with exit code ${code}.`, ...lines);
}

/** Drivers that run a BuildKit of its own: https://docs.docker.com/build/builders/drivers/ */
const OWN_BUILDKIT = ["docker-container", "kubernetes", "remote"];

/** The name of the BuildKit that buildx uses, or why that cannot build for several platforms. */
export async function inspectBuilder(): Promise<{ readonly name: string } | { readonly missing: string }> {
  const plugin = await start(["version"]);
  if (plugin.code === 127) return { missing: "There is no docker command." };
  if (plugin.code !== 0) return { missing: "The docker command has no plugin buildx." };
  const { code, stdout, stderr } = await start(["inspect", "--bootstrap"], START_S);
  const error = code === 0 ? /^Error:\s*(.+)/m.exec(stdout)?.[1] : stderr;
  if (error !== undefined) return { missing: `The builder of docker buildx does not start: ${brief(error)}` };
  const driver = /^Driver:\s*(\S+)/m.exec(stdout)?.[1] ?? "";
  if (driver === "docker" ? !(await storesPlatforms()) : !OWN_BUILDKIT.includes(driver))
    return { missing: `The builder of docker buildx, with the driver ${driver}, makes images of one platform.` };
  return { name: nameOf(stdout, plugin.stdout) };
}

/** Whether the engine keeps its images in containerd: https://docs.docker.com/engine/storage/containerd/ */
async function storesPlatforms(): Promise<boolean> {
  const { stdout } = await docker(["info", "--format", "{{json .DriverStatus}}"]);
  return stdout.includes('"io.containerd.snapshotter.v1"');
}

function nameOf(inspected: string, plugin: string): string {
  const version = /^Build[Kk]it(?: version)?:\s*(\S+)/m.exec(inspected)?.[1];
  // Distributions build the engine without the version of its BuildKit.
  if (version !== undefined && !version.startsWith("v0.0.0")) return `buildkit ${version}`;
  return `buildkit of buildx ${/\bv?\d+\.\d+\S*/.exec(plugin)?.[0] ?? "unknown"}`;
}
