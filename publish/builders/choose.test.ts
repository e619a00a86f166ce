// With the programs of this machine, or without: a folder that is the PATH has links to some of them, or none.
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../host/command.ts";

const folder = mkdtempSync(join(tmpdir(), "choose-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is chosen on a machine that has these programs only, and no engine. */
async function choose(programs: readonly string[]): Promise<string> {
  const bin = mkdtempSync(join(folder, "bin-"));
  for (const name of programs) symlinkSync(realpathSync(Bun.which(name) ?? ""), join(bin, name));
  mkdirSync(join(folder, "config"), { recursive: true });
  const script = `
    import { chooseBuilder } from "${join(import.meta.dir, "choose.ts")}";
    const chosen = chooseBuilder();
    console.log(await chosen.then(({ name }) => name, ({ message, hints }) => [message, ...hints].join("\\n")));`;
  const env = { PATH: bin, DOCKER_CONFIG: join(folder, "config"), DOCKER_HOST: `unix://${folder}/none`, HOME: folder };
  const command = [process.execPath, "-e", script];
  const { stdout, stderr } = await run(command, { env, onlyEnv: true });
  return stdout.trim() || stderr;
}

const NONE = "no program on this machine builds images for several platforms.";

test("without Docker and Buildah: what is missing, why the classic builder is no help, and what to install", async () => {
  const message = await choose([]);
  expect(message).toStartWith(`${NONE}\nThere is no docker command.\n`);
  expect(message).toContain("classic builder is no help: its images are for one platform, and other ones each time");
  expect(message).toContain("docker buildx create --use");
  if (process.platform === "linux") expect(message).toContain("Install Buildah");
});

test.skipIf(Bun.which("docker") === null)("docker without an engine that has BuildKit", async () => {
  const message = await choose(["docker"]);
  // The plugin may be installed for all users.
  expect(message).toMatch(
    /^The docker command has no plugin buildx\.$|^The builder of docker buildx does not start: /m,
  );
  expect(message).toStartWith(NONE);
});

test.skipIf(Bun.which("buildah") === null)("Buildah is taken if there is no BuildKit", async () => {
  expect(await choose(["buildah"])).toMatch(/^buildah \d/);
});
