import { expect, test } from "bun:test";
import { debianPackages, distributionOf, packagedFiles } from "./base-packages.ts";
import { digestOf } from "./image-files.ts";

const files = (texts: Record<string, string>) =>
  new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
const md5 = (text: string) => digestOf("md5", Buffer.from(text));

const LIBC = `Package: libc6
Source: glibc (2.41-12)
Version: 2.41-12+deb13u1
Architecture: arm64
Homepage: https://www.gnu.org/software/libc/libc.html
Description: GNU C Library
 Version: of a continued line
`;
const TZDATA = "Package: tzdata\nVersion: 2026a-1\nArchitecture: all\n";

const LIBC_READ = {
  name: "libc6",
  version: "2.41-12+deb13u1",
  architecture: "arm64",
  source: "glibc",
  homepage: "https://www.gnu.org/software/libc/libc.html",
};

test("distroless has a file for each package", () => {
  const image = files({
    "var/lib/dpkg/status.d/libc6": LIBC,
    "var/lib/dpkg/status.d/libc6.md5sums": `${md5("x")}  lib/x\n`,
    "var/lib/dpkg/status.d/tzdata": TZDATA,
    "srv/var/lib/dpkg/status": LIBC,
  });
  expect(debianPackages(image)).toEqual([
    LIBC_READ,
    { name: "tzdata", version: "2026a-1", architecture: "all", source: "tzdata", homepage: undefined },
  ]);
});

test("Debian has one file, also with packages that were removed", () => {
  const status = (name: string, state: string) => `Package: ${name}\nStatus: ${state}\nVersion: 1\nArchitecture: all\n`;
  const text = [
    status("here", "install ok installed"),
    status("gone", "deinstall ok config-files"),
    status("half", "install ok half-installed"),
    "",
  ].join("\n");
  expect(debianPackages(files({ "var/lib/dpkg/status": text })).map(({ name }) => name)).toEqual(["here"]);
});

test("a package without a version is an error", () => {
  const image = files({ "var/lib/dpkg/status.d/a": "Package: a\nArchitecture: all\n" });
  expect(() => debianPackages(image)).toThrow("/var/lib/dpkg/status.d/a: a has no Version");
});

test("an image without packages has none", () => {
  expect(debianPackages(files({ "etc/passwd": "" }))).toEqual([]);
});

test("a file is a package's if it is as the package has it", () => {
  const image = files({
    "usr/lib/x": "x",
    "usr/bin/changed": "other",
    "usr/bin/added": "x",
    "etc/y": "y",
    "var/lib/dpkg/status.d/a.md5sums": `${md5("x")}  lib/x\n${md5("original")}  usr/bin/changed\n`,
    "var/lib/dpkg/info/b:amd64.md5sums": `${md5("y")}  etc/y\n`,
  });
  expect([...packagedFiles(image)].sort()).toEqual(["etc/y", "usr/lib/x"]);
});

test.each([
  ['ID=debian\nVERSION_ID="13"\n', { id: "debian", version: "13" }],
  ["PRETTY_NAME=Debian\nID='debian'\nVERSION_CODENAME=forky\n", { id: "debian", version: "forky" }],
])("the distribution is read from os-release: %j", (text, expected) => {
  expect(distributionOf(files({ "usr/lib/os-release": text, "etc/os-release": "ID=other" }))).toEqual(expected);
});

test("packages of an unknown distribution are an error", () => {
  expect(() => distributionOf(files({}))).toThrow("os-release");
});
