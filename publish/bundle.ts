import { readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import * as v from "valibot";
import { brief, run } from "../host/command.ts";
import { bundleIn } from "./executable.ts";
import type { PlatformName } from "./oci-layout.ts";
import { inTemporaryFolder } from "./temporary.ts";

const Manifest = v.looseObject({ name: v.string(), version: v.string() });
/** The fields of a package.json that are used, and all others as they stand. */
export type Manifest = v.InferOutput<typeof Manifest>;

/** An npm package of which code is in the executable. */
export interface BundledPackage {
  /** Its folder in node_modules without that name: `a`, `@scope/a`, or `a/b` for a package in that of another one. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Of its archive, from bun.lock, as in https://www.w3.org/TR/SRI/ */
  readonly integrity: string;
  /** The paths of the bundled packages that its code imports. */
  readonly imports: readonly string[];
}

export interface Bundle {
  readonly packages: readonly BundledPackage[];
  /** The paths of the packages that the project's own code imports. */
  readonly imports: readonly string[];
  /** What the executable contains besides Bun. */
  readonly bytes: Buffer;
}

/**
 * Installs the packages that the services need into a checkout, as the Dockerfiles do.
 *
 * @throws {Error} with what Bun printed
 */
export async function installPackages(source: string): Promise<void> {
  await succeed([process.execPath, "install", "--frozen-lockfile", "--production", "--ignore-scripts"], source);
}

/**
 * Bundles a service exactly as the image's build does, with scripts/compile, and says what went in.
 *
 * @param source the folder of a checkout with its packages installed
 * @throws {Error} if the service does not compile, or contains a file of neither the checkout nor a package of bun.lock
 */
export async function bundleOf(source: string, service: string, platform: PlatformName): Promise<Bundle> {
  return inTemporaryFolder(async (work) => {
    const executable = join(work, service);
    const metafile = join(work, "metafile.json");
    await succeed(["sh", "scripts/compile", executable, `${service}/api.ts`], source, {
      METAFILE: metafile,
      TARGETARCH: platform.split("/")[1],
      // The Bun of this process, not another one that is installed.
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
    });
    const contents = v.parse(Metafile, JSON.parse(await readFile(metafile, "utf8")));
    return { ...(await packagesOf(contents, source)), bytes: Buffer.from(bundleIn(await readFile(executable))) };
  });
}

/** The fields that are used of https://esbuild.github.io/api/#metafile */
const Metafile = v.object({
  inputs: v.record(v.string(), v.object({ imports: v.array(v.object({ path: v.string() })) })),
  outputs: v.record(v.string(), v.object({ inputs: v.record(v.string(), v.object({ bytesInOutput: v.number() })) })),
});
/** bun.lock has `name@version`, the registry if it is not the default, the package's dependencies and its integrity. */
const Lockfile = v.object({
  packages: v.record(v.string(), v.tupleWithRest([v.string()], v.unknown())),
});

const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;

/** The project's own code. */
const OWN = "";

async function packagesOf(metafile: v.InferOutput<typeof Metafile>, source: string): Promise<Omit<Bundle, "bytes">> {
  const outputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  // A file from which nothing was used is listed with 0 bytes.
  const used = new Set(outputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => packageOf(file)));
  const imported = new Map([...used].map((path) => [path, new Set<string>()]));
  for (const [file, { imports }] of Object.entries(metafile.inputs)) {
    const importer = packageOf(file);
    for (const { path } of imports) {
      // Modules of Bun and external ones are imported by name, and files by path.
      const target = path in metafile.inputs ? packageOf(path) : importer;
      if (target !== importer && used.has(target)) imported.get(importer)?.add(target);
    }
  }
  const importsOf = (path: string) => [...(imported.get(path) ?? [])].sort();
  const { packages } = v.parse(Lockfile, Bun.JSONC.parse(await readFile(join(source, "bun.lock"), "utf8")));
  return {
    packages: await Promise.all(
      [...used]
        .filter((path) => path !== OWN)
        .sort()
        .map(async (path) => ({
          ...(await lockedPackage(source, path, packages[path])),
          imports: importsOf(path),
        })),
    ),
    imports: importsOf(OWN),
  };
}

/** The path, as in `BundledPackage`, of the package that a bundled file belongs to. */
function packageOf(file: string): string {
  if (/^(\.\.)?\/|^[a-z]+:/.test(file)) throw new Error(`${file} is bundled, but does not lie in the checkout`);
  const [own, ...packages] = file.split(/(?:^|\/)node_modules\//);
  if (packages.length === 0) return OWN;
  if (own !== "") throw new Error(`${file} is bundled, but not from the packages of bun.lock`);
  return packages
    .map((path) =>
      path
        .split("/")
        .slice(0, path.startsWith("@") ? 2 : 1)
        .join("/"),
    )
    .join("/");
}

async function lockedPackage(source: string, path: string, locked: readonly [string, ...unknown[]] | undefined) {
  const names = path.match(/(?:@[^/]+\/)?[^/]+/g) ?? [];
  const file = join(source, ...names.flatMap((name) => ["node_modules", name]), "package.json");
  const manifest = v.parse(Manifest, JSON.parse(await readFile(file, "utf8")));
  const installed = `${manifest.name}@${manifest.version}`;
  if (locked?.[0] !== installed) throw new Error(`${file}: ${installed}, but bun.lock has ${locked?.[0] ?? "none"}`);
  const integrity = locked.at(-1);
  if (typeof integrity !== "string" || !SHA512.test(integrity)) {
    throw new Error(`bun.lock has no sha512 digest of ${path}`);
  }
  return { path, manifest, integrity };
}

async function succeed(command: readonly string[], cwd: string, env: Record<string, string | undefined> = {}) {
  const { code, stdout, stderr } = await run(command, { cwd, env });
  if (code !== 0) throw new Error(`${command.join(" ")}: exit code ${code}: ${brief(stderr + stdout, 2000)}`);
}
