// What git, an archive, an editor or another user may do to a checkout.

import { afterEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Environment, run, runOrThrow } from "../host/command.ts";
import { BUN } from "../testing/base-images.ts";
import { commitAll, copyCheckout } from "../testing/checkout.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { compose2, removeImages, TEST_NAME } from "../testing/stack.ts";

/** A user that owns nothing here. */
const NOBODY = 65534;
const asRoot = test.skipIf(process.getuid?.() !== 0);

const copies: { remove(): void }[] = [];
afterEach(() => {
  for (const copy of copies.splice(0)) copy.remove();
});

async function copy(name?: string): Promise<string> {
  const checkout = await copyCheckout(name);
  copies.push(checkout);
  return checkout.folder;
}

const inside = (folder: string, command: string[], env: Environment = {}) =>
  run(command, { cwd: folder, env: { COMPOSE_PROJECT_NAME: undefined, COMPOSE_FILE: undefined, ...env } });

/** What Compose makes of a checkout: YAML. */
async function config(folder: string, env: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await inside(folder, ["sh", "scripts/compose", "config"], env);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

const revisionOf = (yaml: string) => /^ +REVISION: (.+)$/m.exec(yaml)?.[1];
const sourceOf = (yaml: string) => /^ +SOURCE: (.+)$/m.exec(yaml)?.[1];
const SOURCE = "https://hub.docker.com/u/tpdocker";

describe("line endings", () => {
  test("a clone for Windows has those of Unix", async () => {
    const folder = await copy();
    await commitAll(folder);
    const clone = join(dirname(folder), "clone");
    await runOrThrow(["git", "-c", "core.autocrlf=true", "clone", "--quiet", folder, clone]);
    const endings = await runOrThrow(["git", "-C", clone, "ls-files", "--eol"]);
    expect(endings).not.toMatch(/w\/(crlf|mixed)/);
    expect(endings).toMatch(/w\/lf/);
  });

  test.each(["scripts/up", "scripts/common.sh", "scripts/compile"])("an editor's in %s are named", async (file) => {
    const folder = await copy();
    writeFileSync(join(folder, file), readFileSync(file, "utf8").replaceAll("\n", "\r\n"));
    const { code, stderr } = await inside(folder, ["make", "up"]);
    expect(code).toBe(2);
    expect(stderr).toContain("have Windows line endings");
  });
});

describe("run bits and history", () => {
  test("without run bits and without .git, all commands of make start", async () => {
    const folder = await copy();
    for (const name of readdirSync(join(folder, "scripts"))) chmodSync(join(folder, "scripts", name), 0o644);
    expect(revisionOf(await config(folder))).toBe("unknown");
    // An unknown engine is looked for by a script that has run.
    const { stderr } = await inside(folder, ["make", "up"], { DOCKER_HOST: "unix:///none.sock" });
    expect(stderr).toContain("error: cannot connect to the Docker engine at DOCKER_HOST=unix:///none.sock.");
  });

  test("the build says why it knows no revision", async () => {
    const folder = await copy();
    const { stderr } = await inside(folder, ["sh", "scripts/compose", "build", "--help"]);
    expect(stderr).toContain("==> the images will not say of which revision they are: fatal: not a git repository");
  });

  test("in a repository, the revision and where it comes from are known; a change shows", async () => {
    const folder = await copy();
    const commit = await commitAll(folder);
    await runOrThrow(["git", "-C", folder, "remote", "add", "origin", "https://me:secret@example.org/lab.git"]);
    const yaml = await config(folder);
    expect([revisionOf(yaml), sourceOf(yaml)]).toEqual([commit, "https://example.org/lab"]);
    writeFileSync(join(folder, "LICENSE"), "changed");
    expect(revisionOf(await config(folder))).toBe(`${commit}-dirty`);
  });

  test("a copy in another repository has neither that one's revision nor its address", async () => {
    const folder = await copy();
    const parent = dirname(folder);
    writeFileSync(join(parent, ".gitignore"), "checkout\n");
    await commitAll(parent);
    await runOrThrow(["git", "-C", parent, "remote", "add", "origin", "https://example.org/another.git"]);
    const yaml = await config(folder);
    expect([revisionOf(yaml), sourceOf(yaml)]).toEqual(["unknown", SOURCE]);
  });

  test("a copy that another repository has taken in has that one's revision, which has these files", async () => {
    const folder = await copy();
    const commit = await commitAll(dirname(folder));
    expect(revisionOf(await config(folder))).toBe(commit);
  });

  test("a repository that the environment names is not asked", async () => {
    const [folder, other] = [await copy(), await copy()];
    const commit = await commitAll(folder);
    await commitAll(other);
    const names = { GIT_DIR: join(other, ".git"), GIT_WORK_TREE: other, GIT_INDEX_FILE: join(other, ".git/index") };
    expect(revisionOf(await config(folder, names))).toBe(commit);
  });

  asRoot("a checkout of another user has its revision all the same", async () => {
    const folder = await copy();
    const commit = await commitAll(folder);
    await runOrThrow(["chown", "-R", String(NOBODY), folder]);
    expect((await run(["git", "-C", folder, "describe", "--always"])).stderr).toContain("dubious ownership");
    expect(revisionOf(await config(folder))).toBe(commit);
  });
});

describe("folders", () => {
  test.each(["Проект", "_lab", "-rf", "My Lab", "LAB"])("the stack in %p is called tpdocker", async (name) => {
    const folder = await copy(name);
    expect((await inside(folder, ["sh", "scripts/config"])).stdout).toContain("project=tpdocker\n");
    // Only Compose 2 prints it.
    expect(await config(folder, await compose2())).toMatch(/^name: tpdocker$/m);
  });

  test("unless .env or the environment names it", async () => {
    const folder = await copy();
    writeFileSync(join(folder, ".env"), "export COMPOSE_PROJECT_NAME=mine\n");
    const project = async (env?: Environment) => (await inside(folder, ["sh", "scripts/config"], env)).stdout;
    expect(await project()).toContain("project=mine\n");
    expect(await project({ COMPOSE_PROJECT_NAME: "other" })).toContain("project=other\n");
  });

  test("a link to the checkout, and CDPATH, change nothing", async () => {
    const folder = await copy();
    const link = join(dirname(folder), "link");
    symlinkSync(folder, link);
    mkdirSync(join(dirname(folder), "scripts"));
    const { stdout } = await inside(link, ["sh", "scripts/config"], { CDPATH: dirname(folder) });
    expect(stdout).toContain("project=tpdocker\n");
  });

  asRoot("what root makes in a user's checkout belongs to the user", async () => {
    const folder = await copy();
    await runOrThrow(["chown", "-R", `${NOBODY}:${NOBODY}`, folder]);
    mkdirSync(join(folder, ".cache/made"), { recursive: true });
    await inside(folder, ["sh", "-c", ". scripts/common.sh; give_back .cache", "scripts/x"]);
    const owner = (path: string) => statSync(join(folder, path)).uid;
    expect([owner(".cache"), owner(".cache/made")]).toEqual([NOBODY, NOBODY]);
  });
});

describeWithEngine("a checkout that only its owner may read", () => {
  afterEach(removeImages);

  test("gives an image that runs", async () => {
    const folder = await copy();
    await runOrThrow(["chmod", "-R", "go=", folder]);
    if (existsSync(".env")) cpSync(".env", join(folder, ".env"));
    const { code, stderr } = await inside(folder, ["sh", "scripts/compose", "build", "api-backend"], {
      HUB_USER: TEST_NAME,
    });
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    // The code for an unknown argument.
    expect((await run(["docker", "run", "--rm", `${TEST_NAME}/api-backend`, "none"])).code).toBe(64);
  }, 120_000);
});

describeWithEngine("a checkout that may only be read", () => {
  asRoot("its settings are read; without Bun, the folder is named", async () => {
    const folder = await copy();
    const readOnly = (name: string, ...args: string[]) => {
      const mount = `mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec sh scripts/${name} "$@"`;
      return inside(folder, ["unshare", "--mount", "sh", "-c", mount, "sh", ...args], {
        PATH: "/usr/sbin:/usr/bin:/bin",
      });
    };
    expect((await readOnly("config")).stdout).toContain("project=tpdocker\n");
    const { code, stderr } = await readOnly("bun", "--npm");
    expect([code, stderr.split("\n").slice(1)]).toEqual([
      1,
      [`error: the folder ${folder} cannot be written.`, "       Downloads go to .cache in it.", ""],
    ]);
  });

  // Elsewhere the base images are pulled, and nothing is written.
  const withStandins = BUN.startsWith("localhost/tpdocker-standin/") ? asRoot : test.skip;

  withStandins("a user is told how to go on without .env", async () => {
    const folder = await copy();
    for (const file of ["docker-compose.yaml", "api-backend/Dockerfile"])
      writeFileSync(join(folder, file), readFileSync(file, "utf8").replaceAll("docker.io/oven", "registry.invalid"));
    const group = statSync("/var/run/docker.sock").gid;
    const user = ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, `--groups=${group}`];
    const env = { HOME: "/nonexistent", BUN_IMAGE: undefined };
    const { code, stderr } = await inside(folder, [...user, "sh", "scripts/bases"], env);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `error: the file .env cannot be written.\n       Name the stand-in yourself:  make up BUN_IMAGE=${BUN}\n`,
    );
  });
});
