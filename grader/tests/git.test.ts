// What is brought of a git repository: the commit that is meant, its files as they are, and nothing that runs.

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, runOrThrow } from "../../host/command.ts";
import { Ungradable } from "../errors.ts";
import { LIMITS } from "../safety/copy.ts";
import { clone } from "../sources/git.ts";
import { parseGitAddress, withoutPassword } from "../sources/git-address.ts";

let parent: string;
let repository: string;
let first: string;
let side: string;
let unreferenced: string;

async function git(...command: string[]): Promise<string> {
  const identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"];
  return runOrThrow(["git", "-C", repository, ...identity, ...command]);
}

async function commit(text: string): Promise<string> {
  writeFileSync(join(repository, "file"), text);
  await git("add", "--all");
  await git("commit", "--quiet", "--message", text);
  return git("rev-parse", "HEAD");
}

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), "git-"));
  repository = join(parent, "repository");
  mkdirSync(join(repository, "folder"), { recursive: true });
  await runOrThrow(["git", "init", "--quiet", "--initial-branch=main", repository]);
  writeFileSync(join(repository, "crlf"), "a\r\n");
  writeFileSync(join(repository, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(repository, "kept"), "$Format:%H$");
  writeFileSync(join(repository, ".gitattributes"), "kept export-subst\nrun.sh export-ignore\n");
  symlinkSync("/etc/passwd", join(repository, "out"));
  symlinkSync("../file", join(repository, "folder/in"));
  first = await commit("first");
  await git("tag", "v1");
  await git("checkout", "--quiet", "-b", "feature/side");
  side = await commit("side");
  await git("checkout", "--quiet", "main");
  unreferenced = await commit("unreferenced");
  await git("reset", "--quiet", "--hard", first);
  await git("submodule", "--quiet", "add", repository, "submodule");
  await commit("newest");
});
afterAll(() => rmSync(parent, { recursive: true }));

let count = 0;
async function cloned(text: string, limits = LIMITS): Promise<string> {
  const to = join(parent, `clone-${count++}`);
  const address = parseGitAddress(text);
  if (address === undefined) throw new Error(`not an address: ${text}`);
  await clone(address, to, { limits });
  return to;
}
const contentOf = async (text: string) => readFileSync(join(await cloned(text), "file"), "utf8");
const at = (commit: string) => `file://${repository}#${commit}`;
const refusalOf = (text: string, limits = LIMITS): Promise<Ungradable> =>
  cloned(text, limits).then(
    () => Promise.reject(new Error("not refused")),
    (error: Ungradable) => error,
  );

describe("what is meant", () => {
  test("is the default branch, if nothing is named", async () => {
    expect(await contentOf(`file://${repository}`)).toBe("newest");
  });

  test.each([
    ["a branch", () => "main", "newest"],
    ["a branch with a slash", () => "feature/side", "side"],
    ["a tag", () => "v1", "first"],
    ["a commit", () => first, "first"],
    ["a commit of another branch", () => side, "side"],
    ["an abbreviated commit", () => side.slice(0, 7), "side"],
  ])("may be %s", async (_, name, content) => {
    expect(await contentOf(at(name()))).toBe(content);
  });

  test("may be a commit that no branch has any more", async () => {
    expect(await contentOf(at(unreferenced))).toBe("unreferenced");
  });
});

describe("of the files", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await cloned(`file://${repository}`);
  });

  test("all are there, without .git and submodules", () => {
    const names = [".gitattributes", ".gitmodules", "crlf", "file", "folder", "kept", "out", "run.sh", "submodule"];
    expect(readdirSync(folder).sort()).toEqual(names);
    expect(readdirSync(join(folder, "submodule"))).toEqual([]);
    expect(existsSync(`${folder}.git`)).toBe(false);
  });

  test("bytes and permissions stay", () => {
    expect(readFileSync(join(folder, "crlf"), "utf8")).toBe("a\r\n");
    expect(readFileSync(join(folder, "kept"), "utf8")).toBe("$Format:%H$");
    expect(lstatSync(join(folder, "run.sh")).mode & 0o777).toBe(0o755);
    expect(lstatSync(join(folder, "file")).mode & 0o777).toBe(0o644);
  });

  test("links are links, wherever they lead", () => {
    expect(lstatSync(join(folder, "out")).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, "folder/in"), "utf8")).toBe("newest");
  });
});

test("hooks of the teacher's do not run", async () => {
  const templates = join(parent, "templates");
  mkdirSync(join(templates, "hooks"), { recursive: true });
  const ran = join(parent, "ran");
  for (const hook of ["post-checkout", "reference-transaction"]) {
    writeFileSync(join(templates, "hooks", hook), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
  }
  process.env.GIT_TEMPLATE_DIR = templates;
  await cloned(`file://${repository}`).finally(() => delete process.env.GIT_TEMPLATE_DIR);
  expect(existsSync(ran)).toBe(false);
});

test("a tree of billions of files ends at the limit", async () => {
  const blob = await runOrThrow(["sh", "-c", `echo x | git -C ${repository} hash-object -w --stdin`]);
  const treeOf = (line: (at: number) => string) => {
    const lines = Array.from({ length: 40 }, (_, index) => line(index)).join("\n");
    return runOrThrow(["sh", "-c", `printf '%s\n' "$0" | git -C ${repository} mktree`, lines]);
  };
  let tree = await treeOf((index) => `100644 blob ${blob}\t${index}`);
  for (let level = 0; level < 6; level++) {
    const below = tree;
    tree = await treeOf((index) => `040000 tree ${below}\t${index}`);
  }
  const bomb = await git("commit-tree", tree, "-m", "bomb");
  await git("branch", "bomb", bomb);
  const limits = { ...LIMITS, entries: 1000 };
  expect((await refusalOf(at("bomb"), limits)).message).toEndWith("it has more than 1,000 files and folders");
});

describe("refused with a reason", () => {
  test.each([
    ["no repository", () => `file://${parent}/none`, "there is no such repository", false],
    ["no such branch", () => at("none"), "it has no commit, branch or tag none", false],
    ["no such commit", () => at("0".repeat(39).concat("1")), "it has no commit, branch or tag", false],
    ["no such abbreviated commit", () => at("1234567"), "it has no commit, branch or tag 1234567", false],
    ["a closed port", () => "http://127.0.0.1:1/a/b", "the server cannot be reached", true],
    ["a closed port of git's", () => "git://127.0.0.1:1/a/b", "the server cannot be reached", true],
    ["no such host", () => "https://host.invalid/a/b", "the server cannot be reached", true],
  ])("%s", async (_, text, reason, passes) => {
    const refusal = await refusalOf(text());
    expect(refusal).toBeInstanceOf(Ungradable);
    expect(refusal.message).toContain(reason);
    expect(refusal.message).not.toContain("\n");
    expect(refusal.passes).toBe(passes);
  });

  test("a repository that asks for a login, at once", async () => {
    const server = Bun.serve({
      port: 0,
      fetch: () => new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="a"' } }),
    });
    const refusal = await refusalOf(`http://user:secret@127.0.0.1:${server.port}/a/b`);
    await server.stop(true);
    expect(refusal.message).toContain("it is private and git has no login for it here");
    expect(refusal.message).not.toContain("secret");
  });
});

test("git's own protocol is spoken", async () => {
  const probe = Bun.serve({ port: 0, fetch: () => new Response() });
  const { port } = probe;
  await probe.stop(true);
  const daemon = Bun.spawn(
    ["git", "daemon", "--listen=127.0.0.1", `--port=${port}`, "--export-all", `--base-path=${parent}`, "--reuseaddr"],
    { stderr: "ignore", stdout: "ignore" },
  );
  try {
    const address = `git://127.0.0.1:${port}/repository`;
    while ((await run(["git", "ls-remote", address])).code !== 0) await Bun.sleep(100);
    expect(await contentOf(`${address}#v1`)).toBe("first");
    // This server gives none by its hash that is not the tip of a branch.
    expect(await contentOf(`${address}#${first}`)).toBe("first");
    expect((await refusalOf(`${address}-none`)).message).toContain("there is no such repository");
  } finally {
    daemon.kill();
    await daemon.exited;
  }
});

test("aborting ends it", async () => {
  const aborted = AbortSignal.abort(new Error("enough"));
  const cloning = clone({ url: `file://${repository}` }, join(parent, "aborted"), { signal: aborted });
  expect(cloning).rejects.toThrow("enough");
});

describe("an address", () => {
  test.each([
    ["https://github.com/a/b", { url: "https://github.com/a/b" }],
    ["https://github.com/a/b/", { url: "https://github.com/a/b" }],
    ["https://github.com/a/b.git#v1", { url: "https://github.com/a/b.git", commit: "v1" }],
    ["https://github.com/a/b#", { url: "https://github.com/a/b" }],
    ["https://github.com/a/b?tab=readme-ov-file", { url: "https://github.com/a/b" }],
    ["https://github.com/a/b?tab=readme-ov-file#run-it", { url: "https://github.com/a/b", commit: "run-it" }],
    ["https://github.com/a/b/tree/feature/x", { url: "https://github.com/a/b", commit: "feature/x" }],
    ["https://github.com/a/b/tree/t%C3%A9", { url: "https://github.com/a/b", commit: "té" }],
    ["https://github.com/a/b/commit/0123abc", { url: "https://github.com/a/b", commit: "0123abc" }],
    ["https://gitlab.com/g/s/b/-/tree/main?ref_type=heads", { url: "https://gitlab.com/g/s/b", commit: "main" }],
    ["https://gitlab.com/g/s/b/-/commit/0123abc/", { url: "https://gitlab.com/g/s/b", commit: "0123abc" }],
    ["git@github.com:a/b.git#main", { url: "git@github.com:a/b.git", commit: "main" }],
    ["ssh://git@host:22/a/b", { url: "ssh://git@host:22/a/b" }],
    ["git://host/a", { url: "git://host/a" }],
    ["file:///tmp/a", { url: "file:///tmp/a" }],
  ])("%s is read", (text, address) => {
    expect(parseGitAddress(text)).toEqual(address);
  });

  test.each([
    "ext::sh -c touch% /tmp/pwned",
    "fd::17",
    "transport::address",
    "ext://a/b",
    "--upload-pack=touch /tmp/pwned",
    "-u./x",
    "ssh://-oProxyCommand=touch/x",
    "-oProxyCommand=touch@host:a",
    "git@-oProxyCommand=touch:a",
    "git@host:-a",
    "https://github.com/a/b#--upload-pack=touch",
    "https://github.com/a/b#a b",
    "https://github.com/a/b#a..b",
    "https://github.com/a/b#+a:b",
    "https://github.com/a/b#a\nb",
    "https://",
    "https://github.com/",
    "https:///a b",
    "C:\\tp",
    "C:/tp",
    "./tp",
    "tp.zip",
    "",
  ])("%s is none", (text) => {
    expect(parseGitAddress(text)).toBeUndefined();
  });

  test("is shown without its password", () => {
    expect(withoutPassword("see https://me:secret@host/a")).toBe("see https://me:***@host/a");
  });
});
