// Commands that pages in docs/ tell the reader to type.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Environment, runOrThrow } from "../host/command.ts";
import { freePort } from "../host/tcp.ts";
import { copyCheckout } from "../testing/checkout.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { compose2, createTestStack, TEST_NAME } from "../testing/stack.ts";

const TIMEOUT_MS = 3 * 60_000;

/** The blocks of shell commands in the section of a page with this heading. */
function blocksOf(page: string, heading: string): string[] {
  const [, section = ""] = readFileSync(`docs/${page}`, "utf8").split(`${heading}\n`);
  return [...(section.split(/^##* /m)[0] ?? "").matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
}

const shell = (script: string, env: Environment = {}) => runOrThrow(["sh", "-euc", script], env);

describeWithEngine("as the page says", async () => {
  const stack = await createTestStack();
  const image = `localhost/${TEST_NAME}/tools`;

  beforeAll(async () => {
    await shell("sh scripts/busybox && sh scripts/up", stack.env);
    const folder = mkdtempSync(join(tmpdir(), "tpdocker-tools-"));
    cpSync(".cache/grader-busybox", join(folder, "busybox"));
    const change = "--change 'ENTRYPOINT [\"/busybox\"]'";
    await shell(`tar -c -C '${folder}' busybox | docker import ${change} - ${image}`);
    rmSync(folder, { recursive: true });
  }, TIMEOUT_MS);
  afterAll(() => stack.remove(), TIMEOUT_MS);

  test("a container without a shell can be looked into", async () => {
    const [block = ""] = blocksOf("questions.md", "## How do I look inside? The image has no shell");
    const own = block
      .replace("label=", `label=com.docker.compose.project=${TEST_NAME} --filter label=`)
      .replaceAll(" busybox ", ` ${image} `)
      // Only root may enter the namespaces of another user's process.
      .replace(/^sudo (.*)$/m, process.getuid?.() === 0 ? "$1" : "");
    const printed = await shell(own);
    expect(printed).toContain("/api-backend");
    expect(printed).toContain('"event":"start"');
    expect(printed).toContain("PRETTY_NAME=");
    expect(printed.match(/:8001\b/g)).toHaveLength(process.getuid?.() === 0 ? 3 : 2);
    expect(printed).toMatch(/^proc$/m);
  });

  test(
    "the template becomes a service of its own",
    async () => {
      const clone = await copyCheckout();
      const project = `${TEST_NAME}hello`;
      const env = { ...stack.env, ...(await compose2()), COMPOSE_PROJECT_NAME: project };
      const port = await freePort();
      const folder = join(dirname(clone.folder), "hello");
      const inside = (script: string) => shell(`cd '${folder}'\n${script}`, { ...env, BACKEND_PORT: String(port) });
      try {
        const [copying = "", starting = ""] = blocksOf("template.md", "# A service of your own");
        if (existsSync(".env")) cpSync(".env", join(clone.folder, ".env"));
        await shell(`cd '${clone.folder}'\n${copying}`);
        const check = "bun --bun x tsc --noEmit && bun test 2>&1 && rm node_modules";
        expect(await inside(`ln -s '${process.cwd()}/node_modules' . && ${check}`)).toContain("\n 0 fail\n");
        const [, build = "", ask = ""] = starting.split("\n");
        await inside(build.replace("9001", String(port)));
        // Compose does not wait until it listens.
        const retry = "-q --no-progress-meter --noproxy '*' --retry 20 --retry-delay 1 --retry-all-errors";
        const answer = await inside(ask.replace("curl ", `curl ${retry} `).replace("9001", String(port)));
        expect(answer).toBe('{"body": "hello"}');
      } finally {
        if (existsSync(folder)) await inside("docker compose down --timeout 2");
        clone.remove();
      }
    },
    TIMEOUT_MS,
  );
});
