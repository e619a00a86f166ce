import { posix } from "node:path";
import { digestOf, type ImageFiles } from "./image-files.ts";

/** A Debian package of the base image, with the fields of deb-control(5). */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The name of the source package, under which Debian publishes vulnerabilities. */
  readonly source: string;
  readonly homepage: string | undefined;
}

/** The distribution, as in os-release(5): `debian` and `13`. */
export interface Distribution {
  readonly id: string;
  readonly version: string;
}

/** dpkg's database. Distroless has a file for each package in place of one for all. */
const STATUS = "var/lib/dpkg/status";
const STATUS_FOLDER = "var/lib/dpkg/status.d";
const LISTS = /^var\/lib\/dpkg\/(?:status\.d|info)\/[^/]+\.md5sums$/;

/** @throws {Error} if a package has no name, version or architecture */
export function debianPackages(files: ImageFiles): DebianPackage[] {
  const databases = [...files.keys()].filter(
    (path) => path === STATUS || (posix.dirname(path) === STATUS_FOLDER && !LISTS.test(path)),
  );
  return databases.flatMap((path) =>
    paragraphs(files.get(path)?.toString() ?? "")
      .filter(isInstalled)
      .map((fields) => packageFrom(fields, path)),
  );
}

/** The files that are as their package's list of checksums, deb-md5sums(5), has them. */
export function packagedFiles(files: ImageFiles): Set<string> {
  const lists = [...files].filter(([path]) => LISTS.test(path));
  const lines = lists.flatMap(([, list]) => list.toString().split("\n"));
  const sums = new Map(lines.map((line) => [merged(line.slice(34)), line.slice(0, 32)]));
  return new Set(
    [...files].filter(([path, bytes]) => sums.get(merged(path)) === digestOf("md5", bytes)).map(([path]) => path),
  );
}

/** @throws {Error} if the image does not say, so that its packages could not be identified */
export function distributionOf(files: ImageFiles): Distribution {
  const text = (files.get("usr/lib/os-release") ?? files.get("etc/os-release"))?.toString() ?? "";
  const value = (name: string) => new RegExp(`^${name}=["']?([^"'\n]+)`, "m").exec(text)?.[1];
  const id = value("ID");
  // Debian's unstable releases have no number.
  const version = value("VERSION_ID") ?? value("VERSION_CODENAME");
  if (!(id && version)) throw new Error("the base image has packages, but os-release does not name its distribution");
  return { id, version };
}

type Fields = ReadonlyMap<string, string>;

const paragraphs = (text: string): Fields[] =>
  text
    .split(/\n\s*\n/)
    .map(
      (paragraph) =>
        new Map([...paragraph.matchAll(/^([^\s:]+):[ \t]*(.*)$/gm)].map(([, key = "", value = ""]) => [key, value])),
    )
    .filter((fields) => fields.size > 0);

/** Distroless does not say so: there every package is. */
const isInstalled = (fields: Fields) => /(^| )installed$/.test(fields.get("Status") ?? "installed");

function packageFrom(fields: Fields, file: string): DebianPackage {
  const field = (name: string) => {
    const value = fields.get(name);
    if (!value) throw new Error(`/${file}: ${fields.get("Package") ?? "a package"} has no ${name}`);
    return value;
  };
  const name = field("Package");
  return {
    name,
    version: field("Version"),
    architecture: field("Architecture"),
    // A version in parentheses may follow.
    source: fields.get("Source")?.split(" ")[0] ?? name,
    homepage: fields.get("Homepage"),
  };
}

/** The path after Debian's merge of /bin, /lib and /sbin into /usr, which the lists of older packages do not know. */
const merged = (path: string) => path.replace(/^(?=(?:bin|lib|lib32|lib64|sbin)\/)/, "usr/");
