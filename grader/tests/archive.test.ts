// What an archive may contain: nothing of it is written outside of its folder, waited for, or larger than the limits.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, createDeflateRaw, createGzip, deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { Ungradable } from "../errors.ts";
import { copySubmission } from "../safety/copy.ts";
import { isArchive, kindOf, withoutExtension } from "../sources/archive.ts";
import { rootOf } from "../sources/root.ts";
import { unpack } from "../sources/unpack.ts";
import { type TarFile, tarOf, type ZipFile, zipOf } from "./archives.ts";

let parent: string;
let to: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "archive-"));
  to = join(parent, "to");
});
afterEach(() => rmSync(parent, { recursive: true }));

async function unpackBytes(bytes: Uint8Array, name = "tp.zip", options = {}): Promise<void> {
  const file = join(parent, name);
  writeFileSync(file, bytes);
  await unpack(file, to, options);
}
const unpackZip = (...files: ZipFile[]) => unpackBytes(zipOf(files));
const unpackTar = (...files: TarFile[]) => unpackBytes(tarOf(files), "tp.tar");
const refusalOf = (unpacking: Promise<void>): Promise<Ungradable> =>
  unpacking.then(
    () => Promise.reject(new Error("not refused")),
    (error: Ungradable) => error,
  );
const messageOf = async (unpacking: Promise<void>) => {
  const refusal = await refusalOf(unpacking);
  expect(refusal).toBeInstanceOf(Ungradable);
  expect(refusal.message).not.toMatch(/\p{Cc}/u);
  return refusal.message;
};
const written = () => readdirSync(to, { recursive: true }).map(String).sort();
const contentOf = (name: string) => readFileSync(join(to, name), "utf8");
const modeOf = (name: string) => statSync(join(to, name)).mode & 0o777;
const kinds = [
  ["zip", unpackZip],
  ["tar", unpackTar],
] as const;

const [LINK, FOLDER, FILE, PIPE] = [0o120777, 0o040700, 0o100000, 0o010644];
const TREE = [
  { name: "a/b/c", content: "hello" },
  { name: "d", content: "" },
];

describe("is read", () => {
  test.each([
    ["a stored zip", zipOf(TREE)],
    ["a deflated zip", zipOf(TREE.map((file) => ({ ...file, isDeflated: true })))],
    ["a tar", tarOf(TREE)],
    ["a tar.gz", gzipSync(tarOf(TREE))],
    ["a tar.zst", zstdCompressSync(tarOf(TREE))],
  ])("%s, whatever its name", async (_, bytes) => {
    await unpackBytes(bytes, "tp.rar");
    expect(written()).toEqual(["a", "a/b", "a/b/c", "d"]);
    expect(contentOf("a/b/c")).toBe("hello");
  });

  test.each([
    ["zip", zipOf([])],
    ["tar", tarOf([])],
    ["tar.gz", gzipSync(tarOf([]))],
  ])("an empty %s", async (_, bytes) => {
    await unpackBytes(bytes);
    expect(written()).toEqual([]);
  });

  test("a zip whose sizes come after the data, as a program writes it that does not know them before", async () => {
    // What `zip -` writes: flag 8, zeros in the local header, a descriptor behind the data.
    const archive = zipOf([{ name: "a", content: "hello", flags: 8, isDeflated: true }]);
    archive.fill(0, 14, 26);
    await unpackBytes(archive);
    expect(contentOf("a")).toBe("hello");
  });
});

describe("is not read, but named:", () => {
  test.each([
    ["rar", "Rar!\x1a\x07\x01\x00", "it is a RAR archive; only .zip, .tar.gz and .tar are read"],
    ["7z", "7z\xbc\xaf\x27\x1c\x00\x04", "it is a 7z archive; only"],
    ["xz", "\xfd7zXZ\x00\x00", "it is compressed with xz; only"],
    ["bzip2", "BZh91AY", "it is compressed with bzip2; only"],
    ["nothing", "", "it is empty"],
    ["a web page", "<!DOCTYPE html><title>Log in</title>", "it is not an archive"],
  ])("%s", async (_, bytes, reason) => {
    expect(await messageOf(unpackBytes(Buffer.from(bytes, "latin1")))).toStartWith(`tp.zip: ${reason}`);
  });

  test.each([
    ["a file of text", gzipSync("x".repeat(4096)), "no tar"],
    ["a tar.gz", gzipSync(gzipSync(tarOf(TREE))), "compressed twice"],
  ])("a gzip with %s in it", async (_, bytes, reason) => {
    expect(await messageOf(unpackBytes(bytes))).toContain(reason);
  });

  test("an encrypted one", async () => {
    for (const flags of [0x1, 0x41]) {
      const message = await messageOf(unpackZip({ name: "a", content: "hello", isDeflated: true, flags }));
      expect(message).toBe("tp.zip: it is protected by a password");
      rmSync(to, { recursive: true });
    }
  });
});

describe("paths out of the folder refuse the whole archive:", () => {
  test.each(["../out", "a/../../out", "/out", "a/..", "..", "//out", "C:/out"])("%j", async (name) => {
    for (const [kind, unpackKind] of kinds) {
      const message = await messageOf(unpackKind({ name: "good", content: "" }, { name, content: "mine" }));
      expect(message).toContain(`would be written outside of its folder: ${JSON.stringify(name)}`);
      expect(existsSync(join(parent, "out"))).toBe(false);
      expect(message).toStartWith(`tp.${kind}: `);
      rmSync(to, { recursive: true });
    }
  });

  test.each(["..\\out", "a\\..\\..\\out", "\\out", "C:\\out", "a\0b"])("%j in a zip", async (name) => {
    expect(await messageOf(unpackZip({ name, content: "mine" }))).toContain("outside of its folder");
  });

  test("not backslashes, which separate the names of a zip, and are letters in a tar", async () => {
    await unpackZip({ name: "a\\b", content: "" }, { name: "c\\", content: "" });
    expect(written()).toEqual(["a", "a/b", "c"]);
    rmSync(to, { recursive: true });
    await unpackTar({ name: "..\\b", content: "" });
    expect(written()).toEqual(["..\\b"]);
  });

  test("not names with dots in them", async () => {
    await unpackZip({ name: "./a/./..b", content: "" }, { name: "...", content: "" });
    expect(written()).toEqual(["...", "a", "a/..b"]);
  });
});

describe("links", () => {
  const linkOf = (name: string, target: string) => [{ name, content: target, mode: LINK, target, type: "2" }] as const;
  const fileOf = (name: string) => ({ name, content: name, mode: FILE | 0o644, type: "0" });

  test.each(kinds)("of a %s are made", async (_, unpackKind) => {
    await unpackKind(...linkOf("in", "d/file"), ...linkOf("folder", "d"), fileOf("d/file"));
    expect(contentOf("in")).toBe("d/file");
    expect(contentOf("folder/file")).toBe("d/file");
  });

  test.each(kinds)("of a %s that lead out are not in the copy that is graded", async (_, unpackKind) => {
    writeFileSync(join(parent, "secret"), "hunter2");
    await unpackKind(...linkOf("up", "../secret"), ...linkOf("absolute", "/etc/passwd"));
    expect(readlinkSync(join(to, "up"))).toBe("../secret");
    const { leftOut } = await copySubmission(to, join(parent, "copy"));
    expect(Object.fromEntries(leftOut)).toEqual({ up: "outside", absolute: "outside" });
  });

  test.each(kinds)("of a %s are never written through", async (_, unpackKind) => {
    mkdirSync(join(parent, "victim"));
    writeFileSync(join(parent, "victim/file"), "untouched");
    const links = [
      ...linkOf("folder", "../victim"),
      fileOf("folder/file"),
      ...linkOf("folder/link", "x"),
      ...linkOf("late/deep", "../../victim"),
      ...linkOf("late", "../victim"),
      ...linkOf("file", "../victim/file"),
      fileOf("file"),
    ];
    await unpackKind(...links);
    expect(readdirSync(join(parent, "victim"))).toEqual(["file"]);
    expect(readFileSync(join(parent, "victim/file"), "utf8")).toBe("untouched");
    expect(contentOf("file")).toBe("file");
    expect(contentOf("folder/file")).toBe("folder/file");
    expect(lstatSync(join(to, "late")).isDirectory()).toBe(true);
  });

  test("with a target that is too long are refused", async () => {
    expect(await messageOf(unpackZip({ name: "a", content: "x".repeat(5000), mode: LINK }))).toContain("too long");
  });
});

describe("left out are", () => {
  test.each([
    ["devices", "3"],
    ["block devices", "4"],
    ["pipes", "6"],
  ])("%s", async (_, type) => {
    await unpackTar({ name: "file", content: "mine" }, { name: "special", type });
    expect(written()).toEqual(["file"]);
  });

  test.each(["../secret", "/etc/passwd", "none", "link/secret", "link", "folder", "special"])(
    "a hard link to %s",
    async (target) => {
      writeFileSync(join(parent, "secret"), "hunter2");
      await unpackTar(
        { name: "link", type: "2", target: ".." },
        { name: "folder/file", content: "mine" },
        { name: "special", type: "1", target },
      );
      expect(readdirSync(to).sort()).toEqual(["folder", "link"]);
      expect(contentOf("folder/file")).toBe("mine");
    },
  );

  test("not hard links to files of the archive, which stay two files", async () => {
    const hard = { name: "b/hard", type: "1", target: "a" };
    await unpackTar({ name: "a", content: "mine" }, hard, { name: "self", type: "1", target: "self" });
    expect(contentOf("b/hard")).toBe("mine");
    rmSync(to, { recursive: true });
    await unpackTar({ name: "a", content: "mine" }, hard, { name: "b/hard", content: "other" });
    expect(contentOf("a")).toBe("mine");
  });

  test("pipes of a zip", async () => {
    await unpackZip({ name: "pipe", mode: PIPE }, { name: "file", mode: FILE | 0o600 });
    expect(written()).toEqual(["file"]);
  });
});

describe("permissions", () => {
  test("are kept, but the owner may read", async () => {
    await unpackZip(
      { name: "run", mode: FILE | 0o755 },
      { name: "none", mode: FILE | 0o044 },
      { name: "suid", mode: FILE | 0o4777 },
      { name: "d/", mode: FOLDER & ~0o300 },
    );
    expect([modeOf("run"), modeOf("none"), lstatSync(join(to, "suid")).mode & 0o7777, modeOf("d")]).toEqual([
      0o755, 0o444, 0o777, 0o700,
    ]);
  });

  test("are those that Docker on Windows gives, if the archive is made there", async () => {
    await unpackZip({ name: "run.sh" }, { name: "d/f" });
    expect([modeOf("run.sh"), modeOf("d"), modeOf("d/f")]).toEqual([0o755, 0o755, 0o755]);
  });

  test("of a tar", async () => {
    await unpackTar({ name: "run", mode: 0o750 }, { name: "d", type: "5", mode: 0o500 }, { name: "d/f", mode: 0o002 });
    expect([modeOf("run"), modeOf("d"), modeOf("d/f")]).toEqual([0o750, 0o700, 0o402]);
  });
});

describe("names that come twice:", () => {
  test.each(kinds)("the last file of a %s wins", async (_, unpackKind) => {
    await unpackKind({ name: "a", content: "first", mode: FILE | 0o444 }, { name: "./a", content: "last" });
    expect(contentOf("a")).toBe("last");
  });

  test.each(kinds)("a folder of a %s replaces a file, not the reverse", async (_, unpackKind) => {
    await unpackKind({ name: "a" }, { name: "a/b" }, { name: "a" }, { name: "c/d" }, { name: "c" });
    expect(written()).toEqual(["a", "a/b", "c", "c/d"]);
  });

  test("nor a link, nor nothing at all", async () => {
    await unpackZip({ name: "a/b" }, { name: "a", content: "x", mode: LINK }, { name: "/".slice(1) }, { name: "." });
    expect(written()).toEqual(["a", "a/b"]);
  });
});

describe("encodings of names in a zip", () => {
  test.each([
    ["UTF-8 with its flag", Buffer.from("é"), 0x800, "é"],
    ["UTF-8 without it, as on macOS, decomposed", Buffer.from("e\u0301"), 0, "e\u0301"],
    ["CP437", Buffer.from([0x82, 0x8a, 0x87]), 0, "éèç"],
    ["CP437, although the flag says UTF-8", Buffer.from([0x82]), 0x800, "é"],
  ])("%s", async (_, name, flags, read) => {
    await unpackZip({ name, flags });
    expect(written()).toEqual([read]);
  });
});

describe("names that are too long", () => {
  test("are refused, with the reason", async () => {
    expect(await messageOf(unpackZip({ name: "x".repeat(300) }))).toBe(
      "tp.zip: it has a name that is too long for this machine",
    );
  });

  test("may have 255 bytes", async () => {
    await unpackZip({ name: "x".repeat(255) });
    expect(written()).toEqual(["x".repeat(255)]);
  });
});

describe("limits", () => {
  const deflate = async (mebibytes: number, compressor: NodeJS.ReadWriteStream, ...first: Buffer[]) => {
    const chunks: Buffer[] = [];
    compressor.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise((resolve) => compressor.on("end", resolve));
    for (const chunk of first) compressor.write(chunk);
    const zeros = Buffer.alloc(1024 * 1024);
    for (let index = 0; index < mebibytes; index++) {
      if (!compressor.write(zeros)) await new Promise((resolve) => compressor.once("drain", resolve));
    }
    compressor.end();
    await ended;
    return Buffer.concat(chunks);
  };
  const TWO_GIB = 2048;

  test("100,001 files of a zip", async () => {
    const files = Array.from({ length: 100_001 }, (_, index) => ({ name: `${index}` }));
    expect(await messageOf(unpackZip(...files))).toBe("tp.zip: it has more than 100,000 files and folders");
    // Its directory is counted before anything is written.
    expect(written()).toEqual([]);
  });

  test("files of a tar, folders without an entry of their own, and what is left out", async () => {
    const limits = { entries: 10, bytes: 1024, depth: 64 };
    const tars = [
      Array.from({ length: 11 }, (_, index) => ({ name: `${index}` })),
      [{ name: "1/2/3/4/5/6/7/8/9/10/11" }],
      Array.from({ length: 11 }, () => ({ name: "pipe", type: "6" })),
      Array.from({ length: 11 }, () => ({ name: "link", type: "2", target: "x" })),
    ];
    for (const files of tars) {
      expect(await messageOf(unpackBytes(tarOf(files), "tp.tar", { limits }))).toContain("more than 10 files");
      rmSync(to, { recursive: true });
    }
  });

  test("2 GiB of zeros in a zip", async () => {
    const bytes = await deflate(TWO_GIB, createDeflateRaw());
    const bomb = zipOf([{ name: "zeros", deflated: { bytes, size: 2 ** 31, crc: 0 } }]);
    expect(await messageOf(unpackBytes(bomb))).toBe("tp.zip: its files have more than 1 GiB");
  });

  test("2 GiB of zeros in a zip that says it is one byte", async () => {
    const bytes = await deflate(TWO_GIB, createDeflateRaw());
    expect(await messageOf(unpackZip({ name: "zeros", deflated: { bytes, size: 1, crc: 0 } }))).toContain("damaged");
    expect(existsSync(join(to, "zeros")) ? statSync(join(to, "zeros")).size : 0).toBeLessThan(1024 ** 2);
  });

  test("2 GiB of zeros in a tar.gz", async () => {
    const header = tarOf([{ name: "zeros" }]).subarray(0, 512);
    const large = Buffer.from(header);
    large.write((2 ** 31).toString(8).padStart(11, "0"), 124);
    large.fill(" ", 148, 156);
    large.write(
      `${large
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    const bomb = await deflate(TWO_GIB, createGzip(), large);
    expect(await messageOf(unpackBytes(bomb))).toBe("tp.zip: its files have more than 1 GiB");
  });

  test("headers of a tar without end that are no entries", async () => {
    const limits = { entries: 10, bytes: 1024, depth: 64 };
    const headers = tarOf(Array.from({ length: 1000 }, () => ({ name: "x", type: "x", content: "11 path=abc\n" })));
    expect(await messageOf(unpackBytes(gzipSync(headers), "tp.tgz", { limits }))).toContain("its files have more than");
  });

  test("entries that share their bytes", async () => {
    const bytes = deflateRawSync(Buffer.alloc(1024 * 1024));
    const crc = crc32(Buffer.alloc(1024 * 1024));
    const file = { name: "0", deflated: { bytes, size: 1024 * 1024, crc } };
    const others = Array.from({ length: 500 }, (_, index) => ({ ...file, name: `${index + 1}`, offset: 0 }));
    expect(await messageOf(unpackZip(file, ...others))).toContain("its entries overlap");
  });

  test("65 levels", async () => {
    await unpackZip({ name: `${"a/".repeat(64)}file` });
    rmSync(to, { recursive: true });
    const limits = { entries: 100, bytes: 1024, depth: 4 };
    const name = `${"a/".repeat(5)}file`;
    for (const bytes of [zipOf([{ name }]), tarOf([{ name }])]) {
      const message = await messageOf(unpackBytes(bytes, "tp.zip", { limits }));
      expect(message).toBe("tp.zip: its folders are nested more than 4 levels deep");
      rmSync(to, { recursive: true });
    }
    expect(await messageOf(unpackZip({ name: `${"a/".repeat(65)}file` }))).toContain("more than 64 levels");
  });

  test("a zip in a zip in a zip, without end", async () => {
    let bytes = zipOf([{ name: "docker-compose.yaml", content: "services: {}" }]);
    for (let level = 0; level < 4; level++) bytes = zipOf([{ name: "inner.zip", content: bytes }, { name: "a.pdf" }]);
    await unpackBytes(bytes);
    expect(readdirSync(await rootOf(to, parent))).toEqual(["docker-compose.yaml"]);
    rmSync(to, { recursive: true });
    for (const level of [1, 2, 3, 4]) rmSync(join(parent, `inner-${level}`), { recursive: true });
    await unpackBytes(zipOf([{ name: "inner.zip", content: bytes }]));
    expect(readdirSync(await rootOf(to, parent))).toEqual(["a.pdf", "inner.zip"]);
  });

  test("time, by a signal", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const unpacking = unpackBytes(zipOf(TREE), "tp.zip", { signal });
    expect(unpacking).rejects.toThrow("enough");
  });
});

describe("damaged", () => {
  const zip = zipOf([...TREE.map((file) => ({ ...file, isDeflated: true })), { name: "l", content: "d", mode: LINK }]);
  const tarGz = gzipSync(tarOf([...TREE, { name: "l", type: "2", target: "d" }]));

  test("a wrong checksum is told", async () => {
    expect(await messageOf(unpackZip({ name: "a", content: "hello", crc: 1 }))).toContain('wrong checksum of "a"');
  });

  test.each([
    ["zip", zip],
    ["tar.gz", tarGz],
    ["tar", tarOf(TREE)],
  ])("a %s that is cut off is told, wherever", async (_, bytes) => {
    for (let length = 1; length < bytes.length - (bytes === zip || bytes === tarGz ? 0 : 512); length += 7) {
      await messageOf(unpackBytes(bytes.subarray(0, length), "tp.zip"));
      rmSync(to, { recursive: true, force: true });
    }
  });

  test.each([
    ["zip", zip],
    ["tar.gz", tarGz],
    ["tar", tarOf(TREE)],
  ])("bytes of a %s neither hang nor lead out", async (_, bytes) => {
    const changes = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(changes, async (all) => {
        const changed = Buffer.from(bytes);
        for (const [at, byte] of all) changed[at] = byte;
        const error = await unpackBytes(changed).catch((thrown: Error) => thrown);
        if (error !== undefined) expect(error).toBeInstanceOf(Ungradable);
        rmSync(to, { recursive: true, force: true });
        expect(readdirSync(parent)).toEqual(["tp.zip"]);
      }),
      { numRuns: 400 },
    );
  });
});

describe("of a file", () => {
  test.each([
    ["tp.zip", "", true],
    ["tp.7z", "", true],
    ["tp", "PK\x03\x04", true],
    ["tp.zipped", "PK\x03\x04", true],
    ["report.docx", "PK\x03\x04", false],
    ["report.pdf", "%PDF", false],
    ["notes.txt", "", false],
  ])("%s with %j at its start: an archive or not", (name, bytes, expected) => {
    writeFileSync(join(parent, name), bytes, "latin1");
    expect(isArchive(join(parent, name))).toBe(expected);
  });

  test("the kind is unknown if there is none", () => {
    expect(kindOf(join(parent, "none"))).toBeUndefined();
  });

  test.each([
    ["tp.tar.gz", "tp"],
    ["a.b.ZIP", "a.b"],
    [".zip", ".zip"],
    ["tp", "tp"],
  ])("%s is called %s", (name, short) => {
    expect(withoutExtension(name)).toBe(short);
  });
});
