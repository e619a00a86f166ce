// make with the small tools of other systems: dash or busybox as sh, and nothing on PATH but busybox's applets, docker,
// git and make. bash and the GNU tools are missing, as on Alpine, and partly on a Mac.

import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, runOrThrow } from "../host/command.ts";
import { BODY, SERVICES } from "../lab/services.ts";
import { describeWithEngine } from "../testing/engine.ts";
import { smallPath } from "../testing/small-path.ts";
import { compose2, createTestStack, leftovers, removeImages } from "../testing/stack.ts";

const folder = mkdtempSync(join(tmpdir(), "tpdocker-shells-"));
afterAll(() => rmSync(folder, { recursive: true }));

describeWithEngine("make works with", async () => {
  const variables = await compose2();
  afterAll(removeImages);

  // Compose 2: Compose 1 is a Python program and needs more of the system.
  test.skipIf(variables === undefined).each(["dash", "busybox"] as const)(
    "%s",
    async (shell) => {
      const stack = await createTestStack();
      const env: Environment = { ...stack.env, ...variables, PATH: await smallPath(folder, shell) };
      const make = (...args: string[]) => runOrThrow([join(env.PATH ?? "", "make"), ...args], env);
      try {
        await make("bases");
        const printed = SERVICES.map((name) => `${name}  http://localhost:${stack.ports[name]}/\n${BODY[name]}`);
        expect(await make("up")).toBe(printed.join("\n").trim());
        expect((await make("tag")).split("\n")).toHaveLength(4);
      } finally {
        await make("down");
      }
      expect(await leftovers()).toBe("");
    },
    240_000,
  );
});
