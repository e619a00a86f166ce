import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundleOf } from "./bundle.ts";
import type { PlatformName } from "./oci-layout.ts";

const PLATFORM: PlatformName = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";
const root = await mkdtemp(join(tmpdir(), "bundles-"));
afterAll(() => rm(root, { recursive: true }));

/** The packages in an executable's own source map, which has the names of its sources as plain text. */
function packagesInSourceMap(bundle: Buffer): string[] {
  const matches = bundle.toString("latin1").matchAll(/node_modules\/((?:@[a-z0-9.-]+\/)?[a-z0-9.-]+)\//g);
  return [...new Set([...matches].map(([, name = ""]) => name))].sort();
}

test.each(["api-backend", "api-frontend"])(
  "the packages of %s are those that its executable's source map names",
  async (service) => {
    const { packages, bytes } = await bundleOf(".", service, PLATFORM);
    const names = packages.map(({ path }) => path);
    expect(names).toEqual(packagesInSourceMap(bytes));
    expect(names).toContain("elysia");
    // Imported by Elysia to validate uploads, and left out by scripts/compile.
    expect(names).not.toContain("file-type");
  },
);

/** A checkout with the service `api`, and with packages of which each exports two functions. */
let source: string;
const PACKAGES = { used: "1.0.0", unused: "2.0.0", indirect: "3.0.0", "@scope/used": "4.0.0" };

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(source, path)), { recursive: true });
  await writeFile(join(source, path), content);
}

async function writePackage(folder: string, name: string, version: string, code: string): Promise<void> {
  await write(`${folder}/package.json`, JSON.stringify({ name, version, main: "index.js", sideEffects: false }));
  await write(`${folder}/index.js`, code);
}

/** Code that minifying cannot fold to nothing, different in each package. */
const functions = (name: string) =>
  ["a", "b"].map((it) => `export const ${it} = () => console.log("${name} ${it}", process.pid);`).join("\n");

const integrityOf = (name: string) => `sha512-${createHash("sha512").update(name).digest("base64")}`;
const lockEntry = (name: string, version: string) => [`${name}@${version}`, "", {}, integrityOf(name)];

beforeAll(async () => {
  source = join(root, "source");
  await mkdir(join(source, "scripts"), { recursive: true });
  await cp("scripts/compile", join(source, "scripts/compile"));
  for (const [name, version] of Object.entries(PACKAGES)) {
    const code = name === "used" ? `import { a as c } from "indirect";\nexport const d = () => c();\n` : "";
    await writePackage(`node_modules/${name}`, name, version, code + functions(name));
  }
  await writePackage("node_modules/used/node_modules/indirect", "indirect", "3.1.0", functions("nested"));
  const locked = Object.entries(PACKAGES).map(([name, version]) => [name, lockEntry(name, version)]);
  const packages = Object.fromEntries([...locked, ["used/indirect", lockEntry("indirect", "3.1.0")]]);
  await write("bun.lock", JSON.stringify({ lockfileVersion: 1, packages }));
  await write("package.json", '{ "name": "fixture" }');
});

const bundled = async (code: string) => {
  await write("api/api.ts", code);
  return bundleOf(source, "api", PLATFORM);
};

test("a package of which nothing is used is not in the bundle", async () => {
  const { packages, bytes } = await bundled('import { a } from "used";\nimport { b } from "unused";\na();\n');
  expect(packages.map(({ path }) => path)).toEqual(["used"]);
  expect(bytes.includes("used a")).toBeTrue();
  expect(bytes.includes("unused")).toBeFalse();
});

test("a package that only passes on another one's code has none of its own in the bundle", async () => {
  await writePackage("node_modules/barrel", "barrel", "5.0.0", 'export * from "indirect";\n');
  // Bun must load it, since loading it may do something.
  await write("node_modules/barrel/package.json", '{ "name": "barrel", "version": "5.0.0", "main": "index.js" }');
  const { packages } = await bundled('import { a } from "barrel";\na();\n');
  expect(packages.map(({ path }) => path)).toEqual(["indirect"]);
});

test("a package that is added to the code is in the bundle", async () => {
  const code = 'import { a } from "used";\na();\n';
  expect((await bundled(code)).imports).toEqual(["used"]);
  const { packages, imports } = await bundled(`import { b } from "@scope/used";\nb();\n${code}`);
  expect(imports).toEqual(["@scope/used", "used"]);
  expect(packages.map(({ path, manifest, integrity }) => [path, manifest.version, integrity])).toEqual([
    ["@scope/used", "4.0.0", integrityOf("@scope/used")],
    ["used", "1.0.0", integrityOf("used")],
  ]);
});

test("a package in the folder of another one is told from its namesake", async () => {
  const { packages, imports } = await bundled('import { d } from "used";\nd();\n');
  expect(packages.map(({ path, manifest, imports }) => [path, manifest.version, imports])).toEqual([
    ["used", "1.0.0", ["used/indirect"]],
    ["used/indirect", "3.1.0", []],
  ]);
  expect(imports).toEqual(["used"]);
});

test("a package in another version than that of bun.lock, or without a digest there, is an error", async () => {
  const lock = await readFile(join(source, "bun.lock"), "utf8");
  await write("bun.lock", lock.replace("used@1.0.0", "used@1.0.1"));
  await expect(bundled('import { a } from "used";\na();\n')).rejects.toThrow("used@1.0.0, but bun.lock has used@1.0.1");
  await write("bun.lock", lock.replace(integrityOf("used"), "sha512-AAAA"));
  await expect(bundled('import { a } from "used";\na();\n')).rejects.toThrow("no sha512 digest of used");
  await write("bun.lock", lock);
});

test("a file from outside of the checkout is an error", async () => {
  await writeFile(join(root, "outside.ts"), functions("outside"));
  await expect(bundled('import { a } from "../../outside.ts";\na();\n')).rejects.toThrow(
    "does not lie in the checkout",
  );
});

test("a mistake in the code is reported in Bun's words", async () => {
  await expect(bundled('import "./missing.ts";\n')).rejects.toThrow(/scripts\/compile .*Could not resolve/);
});
