// The parts of an image as components of CycloneDX.

import { Builders, Factories } from "@cyclonedx/cyclonedx-library/Contrib/FromNodePackageJson";
import * as License from "@cyclonedx/cyclonedx-library/Contrib/License";
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import { PackageURL } from "packageurl-js";
import parseSpdx from "spdx-expression-parse";
import type { DebianPackage, Distribution } from "./base-packages.ts";
import type { BundledPackage } from "./bundle.ts";
import { digestOf } from "./image-files.ts";

const licenses = new License.Factories.LicenseFactory(parseSpdx);
const fromManifest = new Builders.ComponentBuilder(new Factories.ExternalReferenceFactory(), licenses);

/** A license that the author names, not one that was found in the files. */
export function declared(text: string): Models.License {
  const license = licenses.makeFromString(text);
  license.acknowledgement = Enums.LicenseAcknowledgement.Declared;
  return license;
}

/** Its hash is that of the archive on npm, as in the SBOMs of `npm sbom`. */
export function npmComponent({ path, manifest, integrity }: BundledPackage): Models.Component {
  const component = fromManifest.makeComponent(manifest, Enums.ComponentType.Library);
  if (!component) throw new Error(`node_modules/${path}/package.json: not a manifest of npm`);
  for (const license of component.licenses) license.acknowledgement = Enums.LicenseAcknowledgement.Declared;
  component.hashes.set(
    Enums.HashAlgorithm["SHA-512"],
    Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex"),
  );
  return identified(component, npmUrl(manifest.name, manifest.version));
}

/** Its URL has the source package as `upstream`, by which scanners find Debian's advisories. */
export function debianComponent(debian: DebianPackage, { id, version }: Distribution): Models.Component {
  const component = new Models.Component(Enums.ComponentType.Library, debian.name, { version: debian.version });
  if (debian.homepage) {
    component.externalReferences.add(
      new Models.ExternalReference(debian.homepage, Enums.ExternalReferenceType.Website),
    );
  }
  const qualifiers = {
    arch: debian.architecture,
    distro: `${id}-${version}`,
    ...(debian.source === debian.name ? {} : { upstream: debian.source }),
  };
  return identified(component, new PackageURL("deb", id, debian.name, debian.version, qualifiers, null));
}

/** What Bun says of itself: `Bun.version`, `Bun.revision` and `process.versions`. */
export interface BunVersions {
  readonly version: string;
  readonly revision: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
}

/** Bun itself, the compiler, and what Bun's interfaces are compatible with: no libraries that it contains. */
const NO_LIBRARIES = new Set(["bun", "zig", "node", "v8", "modules", "napi", "openssl", "uv", "unicode", "typescript"]);

/** Bun with the libraries it contains. Its URL is that of its npm package, under which its advisories are published. */
export function bunComponent({ version, revision, versions }: BunVersions): Models.Component {
  const bun = new Models.Component(Enums.ComponentType.Platform, "bun", { version });
  bun.licenses.add(declared("MIT"));
  bun.properties.add(new Models.Property("tpdocker:revision", revision));
  for (const [name, of] of Object.entries(versions)) {
    if (of === undefined || NO_LIBRARIES.has(name)) continue;
    const library = new Models.Component(Enums.ComponentType.Library, name, { version: of });
    bun.components.add(identified(library, new PackageURL("generic", null, name, of, null, null)));
  }
  return identified(bun, npmUrl("bun", version));
}

/** A file that belongs to no package. */
export function fileComponent(path: string, bytes: Uint8Array): Models.Component {
  const component = new Models.Component(Enums.ComponentType.File, `/${path}`, { bomRef: `file:/${path}` });
  component.hashes.set(Enums.HashAlgorithm["SHA-256"], digestOf("sha256", bytes));
  return component;
}

function npmUrl(fullName: string, version: string): PackageURL {
  const [name = "", scope = null] = fullName.split("/").reverse();
  return new PackageURL("npm", scope, name, version, null, null);
}

function identified(component: Models.Component, url: PackageURL): Models.Component {
  // Some readers take a plus sign for a space; the specification wants it encoded, and the library does not.
  component.purl = url.toString().replaceAll("+", "%2B");
  component.bomRef.value = component.purl;
  return component;
}
