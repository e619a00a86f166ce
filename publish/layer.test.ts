import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { list } from "tar";
import { normalizeLayer } from "./layer.ts";

const LONG = `${"a".repeat(120)}/${"b".repeat(120)}.txt`;
const EPOCH = 1_700_000_000;

/** As containerd writes them: in the pax format, and with records for long names only. */
const CONTAINERD = ["--format=pax", "--pax-option=delete=atime,delete=ctime,delete=mtime,exthdr.name=%f"];

/** GNU tar's archive of a folder, an executable, a link and a name too long for a header, all of a time. */
async function tarOf(seconds: number, format: readonly string[] = CONTAINERD): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "layer-"));
  try {
    mkdirSync(join(folder, LONG, ".."), { recursive: true });
    writeFileSync(join(folder, LONG), "long");
    writeFileSync(join(folder, "run"), "x".repeat(1000));
    chmodSync(join(folder, "run"), 0o755);
    symlinkSync("run", join(folder, "link"));
    const options = ["--sort=name", "--owner=0", "--group=0", `--mtime=@${seconds}`, ...format];
    const tar = Bun.spawnSync(["tar", ...options, "-C", folder, "-cf", "-", "."]);
    expect(tar.stderr.toString()).toBe("");
    return new Uint8Array(tar.stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What tar reads of it: it passes over a header whose checksum is wrong. */
async function entriesOf(tar: Uint8Array) {
  const entries: { path: string; seconds: number; mode: number; size: number }[] = [];
  const file = join(mkdtempSync(join(tmpdir(), "layer-")), "layer.tar");
  await Bun.write(file, tar);
  await list({
    file,
    strict: true,
    onReadEntry: ({ path, mtime, mode = 0, size }) =>
      entries.push({ path, seconds: (mtime?.getTime() ?? 0) / 1000, mode, size }),
  });
  rmSync(join(file, ".."), { recursive: true });
  return entries;
}

test("all files of a layer get one time; names, sizes and permissions stay", async () => {
  const tar = await tarOf(1_600_000_000);
  const before = await entriesOf(tar);
  normalizeLayer(tar, EPOCH);
  const after = await entriesOf(tar);
  expect(before.map(({ path }) => path)).toEqual(expect.arrayContaining(["./run", "./link", `./${LONG}`]));
  expect(after).toEqual(before.map((entry) => ({ ...entry, seconds: EPOCH })));
});

test("layers made at different times are then the same", async () => {
  const [one, other] = [await tarOf(1_600_000_000), await tarOf(1_650_000_000)];
  expect(Bun.SHA256.hash(one, "hex")).not.toBe(Bun.SHA256.hash(other, "hex"));
  for (const tar of [one, other]) normalizeLayer(tar, EPOCH);
  expect(Bun.SHA256.hash(one, "hex")).toBe(Bun.SHA256.hash(other, "hex"));
});

test("the type of a file goes from its mode: Buildah writes it there", async () => {
  const [plain, typed] = [await tarOf(0, ["--format=gnu"]), await tarOf(0, ["--format=gnu"])];
  // The first header is that of the folder.
  for (const [tar, mode] of [
    [plain, "0000755\0"],
    [typed, "0040755\0"],
  ] as const)
    tar.set(Buffer.from(mode), 100);
  for (const tar of [plain, typed]) normalizeLayer(tar, EPOCH);
  expect(typed).toEqual(plain);
});

test("a time that stands elsewhere is an error: it would stay", async () => {
  const tar = await tarOf(1.5, ["--format=pax"]);
  expect(() => normalizeLayer(tar, EPOCH)).toThrow("a time at byte 0 of a layer");
});

test("what is no tar is an error", () => {
  expect(() => normalizeLayer(new Uint8Array(1024).fill(65), EPOCH)).toThrow("no octal number");
});
