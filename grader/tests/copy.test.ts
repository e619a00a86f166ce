// What a folder may contain: nothing of it is followed out of the folder, waited for, or too large to be copied.

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runOrThrow } from "../../host/command.ts";
import { copySubmission, LIMITS } from "../safety/copy.ts";

let parent: string;
let from: string;
let to: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "copy-"));
  from = join(parent, "from");
  to = join(parent, "to");
  mkdirSync(join(from, "sub/deep"), { recursive: true });
  writeFileSync(join(parent, "secret"), "hunter2");
  writeFileSync(join(from, "file"), "mine");
});
afterEach(() => rmSync(parent, { recursive: true }));

const copied = (path: string) => existsSync(join(to, path));
const leftOutOf = async () => Object.fromEntries((await copySubmission(from, to)).leftOut);

describe("links", () => {
  test("that stay inside are kept, as links", async () => {
    symlinkSync("../../file", join(from, "sub/deep/link"));
    symlinkSync("sub", join(from, "folder"));
    expect(await leftOutOf()).toEqual({});
    expect(readFileSync(join(to, "folder/deep/link"), "utf8")).toBe("mine");
  });

  test.each([
    ["the name of the folder", "../from/file"],
    ["the root of the machine", `${"../".repeat(20)}<original>`],
  ])("that stay inside by way of %s lead into the copy, not to the original", async (_, target) => {
    symlinkSync(target.replace("<original>", join(from, "file")), join(from, "link"));
    expect(await leftOutOf()).toEqual({});
    expect(realpathSync(join(to, "link"))).toBe(realpathSync(join(to, "file")));
  });

  test.each([
    ["a file outside", "../secret"],
    ["a file of the system", "/etc/passwd"],
    ["the folder above", ".."],
    // By the text it stays in a; by the file system it leads two folders up from there.
    ["outside, through another link", "a/b/up/../../secret"],
    ["the original itself, by its absolute path", "<absolute>"],
  ])("to %s are left out", async (_, target) => {
    mkdirSync(join(from, "a/b"), { recursive: true });
    symlinkSync("..", join(from, "a/b/up"));
    symlinkSync(target === "<absolute>" ? join(from, "file") : target, join(from, "link"));
    expect(await leftOutOf()).toEqual({ link: "outside" });
    expect(copied("link")).toBe(false);
  });

  test("to nothing are no finding", async () => {
    symlinkSync("none", join(from, "link"));
    expect(await leftOutOf()).toEqual({});
    expect(copied("link")).toBe(false);
  });

  test("in a circle end", async () => {
    symlinkSync("two", join(from, "one"));
    symlinkSync("one", join(from, "two"));
    symlinkSync(".", join(from, "sub/self"));
    expect(await leftOutOf()).toEqual({});
    expect(statSync(join(to, "sub/self/self/self")).isDirectory()).toBe(true);
  });
});

test("pipes and sockets are left out, and not waited for", async () => {
  await runOrThrow(["mkfifo", join(from, "Dockerfile")]);
  const server = Bun.listen({ unix: join(from, "socket"), socket: { data() {} } });
  try {
    expect(await leftOutOf()).toEqual({ Dockerfile: "special", socket: "special" });
  } finally {
    server.stop();
  }
});

test.skipIf(process.getuid?.() !== 0)("devices are left out", async () => {
  await runOrThrow(["mknod", join(from, "disk"), "c", "1", "5"]);
  expect(await leftOutOf()).toEqual({ disk: "special" });
});

test.skipIf(process.getuid?.() === 0)("what cannot be read is left out", async () => {
  await runOrThrow(["chmod", "0", join(from, "file"), join(from, "sub")]);
  expect(await leftOutOf()).toEqual({ file: "unreadable", sub: "unreadable" });
  await runOrThrow(["chmod", "700", join(from, "sub")]);
});

test("files keep their bytes and run bits, without set-user-ID", async () => {
  const bytes = Buffer.from([0, 255, 10, 13, 128]);
  writeFileSync(join(from, "program"), bytes, { mode: 0o755 });
  await runOrThrow(["chmod", "4755", join(from, "program")]);
  await copySubmission(from, to);
  expect(readFileSync(join(to, "program"))).toEqual(bytes);
  expect(statSync(join(to, "program")).mode & 0o7777).toBe(0o755);
});

test("names in any script, and names that are no text, do not end the copy", async () => {
  for (const name of ["réponse", "Проект", "実験", "a\nb", " ", "-rf", "%s$(id)", "x".repeat(255)])
    writeFileSync(join(from, name), "");
  await runOrThrow(["sh", "-c", 'printf x >"$0/$(printf "\\377\\376")"', from]);
  const { exceeded } = await copySubmission(from, to);
  expect(exceeded).toBeUndefined();
  expect(["réponse", "Проект", "実験", "a\nb", "x".repeat(255)].filter((name) => !copied(name))).toEqual([]);
});

describe("limits", () => {
  test("10,000 files are copied", async () => {
    for (let i = 0; i < 10_000; i++) writeFileSync(join(from, "sub", `${i}`), "");
    expect((await copySubmission(from, to)).exceeded).toBeUndefined();
    expect(copied("sub/9999")).toBe(true);
  }, 60_000);

  test("more entries than allowed end it", async () => {
    for (let i = 0; i < 20; i++) writeFileSync(join(from, `${i}`), "");
    expect((await copySubmission(from, to, { ...LIMITS, entries: 10 })).exceeded).toBe("entries");
  });

  test("a sparse file of a terabyte ends it, unread", async () => {
    truncateSync(join(from, "file"), 1024 ** 4);
    expect((await copySubmission(from, to)).exceeded).toBe("bytes");
    expect(copied("file")).toBe(false);
  });

  test("folders in folders in folders end it", async () => {
    mkdirSync(join(from, "d/".repeat(100)), { recursive: true });
    expect((await copySubmission(from, to)).exceeded).toBe("depth");
  });
});
