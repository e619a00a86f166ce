import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { runOrThrow } from "../host/command.ts";
import { writeLayout } from "../testing/image-layout.ts";
import { type Bundle, bundleOf } from "./bundle.ts";
import { digestOf, type ImageFiles, readImageFiles } from "./image-files.ts";
import { type PlatformImage, type PlatformName, readLayout } from "./oci-layout.ts";
import { sbomError, sbomOf } from "./sbom.ts";

const SERVICE = "api-frontend";
const PLATFORM: PlatformName = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
const TZDATA = "Package: tzdata\nSource: tz (1)\nVersion: 2026a-1+deb13u1\nArchitecture: all\n";
const UTC = "TZif2";
const root = await mkdtemp(join(tmpdir(), "sboms-"));
afterAll(() => rm(root, { recursive: true }));

let image: PlatformImage;
let files: ImageFiles;
let bundle: Bundle;

beforeAll(async () => {
  const executable = join(root, SERVICE);
  await runOrThrow(["sh", "scripts/compile", executable, `${SERVICE}/api.ts`]);
  const base = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n",
    "usr/lib/os-release": 'ID=debian\nVERSION_ID="13"\n',
    "usr/share/zoneinfo/UTC": UTC,
    "var/lib/dpkg/status.d/tzdata": TZDATA,
    "var/lib/dpkg/status.d/tzdata.md5sums": `${digestOf("md5", Buffer.from(UTC))}  usr/share/zoneinfo/UTC\n`,
  };
  const labels = {
    "org.opencontainers.image.version": "1.2.3",
    "org.opencontainers.image.licenses": "MIT",
    "org.opencontainers.image.source": "https://example.org/tpdocker",
  };
  const layers = [{ files: base }, { files: { [SERVICE]: await readFile(executable) } }];
  await writeLayout(join(root, "layout"), [{ platform: PLATFORM, layers, labels }]);
  const [first] = (await readLayout(join(root, "layout"))).images;
  if (!first) throw new Error("no image");
  image = first;
  files = await readImageFiles(join(root, "layout"), image);
  bundle = await bundleOf(".", SERVICE, PLATFORM);
}, 60_000);

const Component = v.looseObject({
  type: v.string(),
  name: v.string(),
  version: v.optional(v.string()),
  purl: v.optional(v.string()),
  hashes: v.optional(v.array(v.object({ alg: v.string(), content: v.string() })), []),
});
const Sbom = v.looseObject({
  serialNumber: v.string(),
  metadata: v.looseObject({ timestamp: v.string(), component: Component }),
  components: v.array(v.looseObject({ ...Component.entries, components: v.optional(v.array(Component), []) })),
  dependencies: v.array(v.object({ ref: v.string(), dependsOn: v.optional(v.array(v.string()), []) })),
});

const sbom = (changed: Partial<Parameters<typeof sbomOf>[0]> = {}) =>
  sbomOf({ service: SERVICE, image, files, bundle, epoch: 1_790_000_000, ...changed });
const read = async (changed?: Parameters<typeof sbom>[0]) => v.parse(Sbom, await sbom(changed));

test("the subject is the executable, as it is in the image", async () => {
  const { metadata } = await read();
  const executable = await readFile(join(root, SERVICE));
  expect(metadata.component).toMatchObject({
    type: "application",
    name: SERVICE,
    version: "1.2.3",
    hashes: [{ alg: "SHA-256", content: digestOf("sha256", executable) }],
    licenses: [{ license: { id: "MIT" } }],
  });
  expect(metadata.timestamp).toBe("2026-09-21T14:13:20.000Z");
});

test("npm's packages have their version, URL, licence and the digest of bun.lock", async () => {
  const { components } = await read();
  const npm = components.filter(({ type, purl }) => type === "library" && purl?.startsWith("pkg:npm/"));
  expect(npm).toHaveLength(bundle.packages.length);
  const typebox = npm.find(({ name }) => name === "typebox");
  const version = bundle.packages.find(({ path }) => path === "@sinclair/typebox")?.manifest.version;
  expect(typebox).toMatchObject({ group: "@sinclair", version, purl: `pkg:npm/%40sinclair/typebox@${version}` });
  expect(typebox).toMatchObject({ licenses: [{ license: { id: "MIT", acknowledgement: "declared" } }] });
  const hash = Buffer.from(typebox?.hashes[0]?.content ?? "", "hex").toString("base64");
  expect(typebox?.hashes[0]?.alg).toBe("SHA-512");
  expect(await readFile("bun.lock", "utf8")).toContain(`["@sinclair/typebox@${version}", "", {}, "sha512-${hash}"]`);
});

test("Bun is listed with the libraries it contains, and without what it is only compatible with", async () => {
  const { components } = await read();
  const bun = components.find(({ name }) => name === "bun");
  expect(bun).toMatchObject({ version: Bun.version, purl: `pkg:npm/bun@${Bun.version}` });
  const names = bun?.components.map(({ name }) => name) ?? [];
  for (const name of ["boringssl", "icu", "webkit", "zlib"]) expect(names).toContain(name);
  for (const name of ["node", "v8", "modules", "bun"]) expect(names).not.toContain(name);
});

test("Debian's packages are named with their distribution and source package", async () => {
  const { components } = await read();
  expect(components.filter(({ purl }) => purl?.startsWith("pkg:deb/")).map(({ purl }) => purl)).toEqual([
    "pkg:deb/debian/tzdata@2026a-1%2Bdeb13u1?arch=all&distro=debian-13&upstream=tz",
  ]);
});

test("a file of no package is listed, and so is one that was changed", async () => {
  const names = async (of: ImageFiles) =>
    (await read({ files: of })).components.filter(({ type }) => type === "file").map(({ name }) => name);
  const usual = [
    "/etc/passwd",
    "/usr/lib/os-release",
    "/var/lib/dpkg/status.d/tzdata",
    "/var/lib/dpkg/status.d/tzdata.md5sums",
  ];
  expect(await names(files)).toEqual(usual);
  const tampered = new Map(files).set("usr/share/zoneinfo/UTC", Buffer.from("TZif3")).set("bin/sh", Buffer.from("#!"));
  expect(await names(tampered)).toEqual([...usual, "/bin/sh", "/usr/share/zoneinfo/UTC"].sort());
});

test("the dependencies lead from the executable to each package and to Bun", async () => {
  const { dependencies, components } = await read();
  const of = new Map(dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
  const reached = new Set<string>();
  const walk = (ref: string) => {
    if (reached.has(ref)) return;
    reached.add(ref);
    for (const next of of.get(ref) ?? []) walk(next);
  };
  walk(SERVICE);
  for (const { purl } of components) if (purl?.startsWith("pkg:npm/")) expect(reached).toContain(purl);
});

test("the same inputs give the same bytes, in whatever order the files come", async () => {
  const reversed = new Map([...files].reverse());
  const texts = [await sbom(), await sbom({ files: reversed })].map((bom) => JSON.stringify(bom));
  expect(texts[0]).toBe(texts[1] ?? "");
});

test("the serial number is the image's, a UUID of version 5", async () => {
  const other = { ...image, descriptor: { ...image.descriptor, digest: `sha256:${"0".repeat(64)}` } };
  const numbers = [await read(), await read({ image: other })].map(({ serialNumber }) => serialNumber);
  for (const number of numbers) expect(number).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab]/);
  expect(numbers[0]).not.toBe(numbers[1] ?? "");
});

test("an executable of other sources, or with another Bun, is refused", async () => {
  const bytes = Buffer.from(bundle.bytes);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await expect(sbom({ bundle: { ...bundle, bytes } })).rejects.toThrow("not compiled from the sources");
  const bun = { version: "9.9.9", revision: "deadbeef".repeat(5), versions: {} };
  await expect(sbom({ bun })).rejects.toThrow("does not contain Bun 9.9.9");
  await expect(sbom({ files: new Map() })).rejects.toThrow(`no file /${SERVICE}`);
});

const broken: [string, (bom: Record<string, unknown>) => void][] = [
  ["without its format", (bom) => delete bom.bomFormat],
  ["with an unknown field", (bom) => Object.assign(bom, { extra: 1 })],
  ["with a serial number that is none", (bom) => Object.assign(bom, { serialNumber: "1" })],
  ["with a component without a type", (bom) => Object.assign(bom, { components: [{ name: "a" }] })],
  ["with a licence that SPDX does not list", (bom) => Object.assign(bom, { components: [unlicensed] })],
];
const unlicensed = { type: "library", name: "a", licenses: [{ license: { id: "MIT-9" } }] };

test.each(broken)("an SBOM %s is not valid", async (_, breakIt) => {
  const bom = await sbom();
  expect(await sbomError(JSON.stringify(bom))).toBeUndefined();
  breakIt(bom);
  expect(await sbomError(JSON.stringify(bom))).toBeDefined();
});

test("what would not be valid is an error: milliseconds for seconds", async () => {
  await expect(sbom({ epoch: 1_790_000_000_000 })).rejects.toThrow(/is not valid: .*timestamp/);
});
