// What is said of an image: what it holds, and how it was built.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServiceName } from "../lab/services.ts";
import type { Bases, Builder } from "./builder.ts";
import { bundleOf, installPackages } from "./bundle.ts";
import { digestOf, readImageFiles } from "./image-files.ts";
import type { Layout, PlatformImage, PlatformName } from "./oci-layout.ts";
import { provenanceOf } from "./provenance.ts";
import type { Run } from "./run.ts";
import { sbomOf } from "./sbom.ts";
import type { Settings } from "./settings.ts";

export interface Statements {
  readonly sbom: object;
  /** Left out for what was not built from a commit: nobody could check it. */
  readonly provenance?: object;
}

export interface Build {
  readonly service: ServiceName;
  readonly settings: Settings;
  /** A folder with the sources; packages are installed into it. */
  readonly source: string;
  readonly bases: Bases;
  readonly builder: Builder;
  readonly startedOn: Date;
  readonly finishedOn: Date;
  readonly run: Run;
}

/** @throws {Error} if the executables are not what the sources compile to on this machine */
export async function statementsOf(build: Build, layout: Layout): Promise<Map<PlatformName, Statements>> {
  const { service, settings, source } = build;
  await installPackages(source);
  const statements = new Map<PlatformName, Statements>();
  for (const image of layout.images) {
    const sbom = await sbomOfImage(layout.folder, image, service, source, settings.epoch);
    const provenance = settings.isDirty ? {} : { provenance: await provenanceOfImage(build, image) };
    statements.set(image.platform, { sbom, ...provenance });
  }
  return statements;
}

/** @param source a folder with the sources and their packages */
export async function sbomOfImage(
  folder: string,
  image: PlatformImage,
  service: ServiceName,
  source: string,
  epoch: number,
): Promise<object> {
  const bundle = await bundleOf(source, service, image.platform);
  return sbomOf({ service, image, files: await readImageFiles(folder, image), bundle, epoch });
}

async function provenanceOfImage(build: Build, { platform }: PlatformImage): Promise<object> {
  const { service, settings, source, bases, builder, startedOn, finishedOn, run } = build;
  const { commit, account, labels, epoch } = settings;
  const [name = "", version = ""] = builder.name.split(" ");
  return provenanceOf({
    repository: settings.source,
    commit,
    version: labels.VERSION,
    service,
    platform,
    hubUser: account,
    bases,
    lockfile: digestOf("sha256", await readFile(join(source, "bun.lock"))),
    builder: { name, version },
    epoch,
    run,
    startedOn,
    finishedOn,
  });
}
