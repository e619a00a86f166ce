import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import { JSON as Json, JsonSerializer } from "@cyclonedx/cyclonedx-library/Serialize";
import { Spec1dot6, Version } from "@cyclonedx/cyclonedx-library/Spec";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import project from "../package.json" with { type: "json" };
import { debianPackages, distributionOf, packagedFiles } from "./base-packages.ts";
import type { Bundle } from "./bundle.ts";
import {
  type BunVersions,
  bunComponent,
  debianComponent,
  declared,
  fileComponent,
  npmComponent,
} from "./components.ts";
import { bundleIn } from "./executable.ts";
import { digestOf, type ImageFiles } from "./image-files.ts";
import type { PlatformImage } from "./oci-layout.ts";

export interface SbomInputs {
  readonly service: string;
  readonly image: PlatformImage;
  /** Those of the same image. */
  readonly files: ImageFiles;
  /** Of the same commit and platform. */
  readonly bundle: Bundle;
  /** The time of the commit, in seconds. */
  readonly epoch: number;
  /** Default: the Bun that runs this. */
  readonly bun?: BunVersions;
}

/**
 * The SBOM of one platform's image, in CycloneDX 1.6: https://cyclonedx.org/docs/1.6/json/
 *
 * Its subject is the service's executable. It lists the npm packages and the Bun in it, the packages of the base image,
 * and every file that belongs to none of them. The same inputs give the same object.
 *
 * @throws {Error} if the image's executable is not made of this bundle and this Bun, or the result does not validate
 */
export async function sbomOf(inputs: SbomInputs): Promise<Record<string, unknown>> {
  const { service, image, files, bundle, epoch, bun = thisBun() } = inputs;
  const executable = files.get(service);
  if (!executable) throw new Error(`the image has no file /${service}`);
  checkExecutable(service, executable, bundle, bun);
  const subject = subjectOf(inputs, executable);
  const parts = [bunComponent(bun), ...linkedPackages(subject, bundle), ...baseComponents(files)];
  const known = packagedFiles(files).add(service);
  const others = [...files].filter(([path]) => !known.has(path)).map(([path, bytes]) => fileComponent(path, bytes));
  const [runtime] = parts;
  if (runtime) subject.dependencies.add(runtime.bomRef);
  const bom = new Models.Bom({
    serialNumber: `urn:uuid:${Bun.randomUUIDv5(image.descriptor.digest, "url")}`,
    metadata: new Models.Metadata({
      timestamp: new Date(epoch * 1000),
      lifecycles: new Models.LifecycleRepository([Enums.LifecyclePhase.Build]),
      tools: new Models.Tools({ components: new Models.ComponentRepository([generator()]) }),
      component: subject,
      properties: new Models.PropertyRepository([
        new Models.Property("tpdocker:image", image.descriptor.digest),
        new Models.Property("tpdocker:platform", image.platform),
      ]),
    }),
    components: new Models.ComponentRepository([...parts, ...others]),
  });
  const json = new JsonSerializer(new Json.Normalize.Factory(Spec1dot6)).serialize(bom, { sortLists: true });
  const error = await sbomError(json);
  if (error !== undefined) throw new Error(`the SBOM of ${service} for ${image.platform} is not valid: ${error}`);
  return JSON.parse(json) as Record<string, unknown>;
}

/** What CycloneDX's schema finds wrong in an SBOM. */
export async function sbomError(json: string): Promise<string | undefined> {
  const errors = await new JsonStrictValidator(Version.v1dot6).validate(json);
  return errors === null ? undefined : JSON.stringify(errors);
}

const thisBun = (): BunVersions => ({ version: Bun.version, revision: Bun.revision, versions: process.versions });

function checkExecutable(service: string, executable: Buffer, bundle: Bundle, bun: BunVersions): void {
  if (!bundleIn(executable).equals(bundle.bytes)) {
    throw new Error(`/${service} in the image is not compiled from the sources that were bundled for its SBOM`);
  }
  if (!executable.includes(bun.revision))
    throw new Error(`/${service} in the image does not contain Bun ${bun.version}`);
}

function subjectOf({ service, image }: SbomInputs, executable: Buffer): Models.Component {
  const label = (name: string) => image.config.config.Labels?.[`org.opencontainers.image.${name}`];
  const subject = new Models.Component(Enums.ComponentType.Application, service, { bomRef: service });
  const [version, license, source] = [label("version"), label("licenses"), label("source")];
  if (version) subject.version = version;
  if (license) subject.licenses.add(declared(license));
  if (source) subject.externalReferences.add(new Models.ExternalReference(source, Enums.ExternalReferenceType.VCS));
  subject.hashes.set(Enums.HashAlgorithm["SHA-256"], digestOf("sha256", executable));
  return subject;
}

/** The npm packages, and who imports which. */
function linkedPackages(subject: Models.Component, bundle: Bundle): Models.Component[] {
  const components = new Map(bundle.packages.map((bundled) => [bundled.path, npmComponent(bundled)]));
  const link = (from: Models.Component | undefined, imports: readonly string[]) => {
    for (const path of imports) {
      const to = components.get(path);
      if (to) from?.dependencies.add(to.bomRef);
    }
  };
  link(subject, bundle.imports);
  for (const { path, imports } of bundle.packages) link(components.get(path), imports);
  return [...components.values()];
}

function baseComponents(files: ImageFiles): Models.Component[] {
  const packages = debianPackages(files);
  if (packages.length === 0) return [];
  const distribution = distributionOf(files);
  return packages.map((debian) => debianComponent(debian, distribution));
}

const generator = () =>
  new Models.Component(Enums.ComponentType.Application, project.name, { version: project.version });
