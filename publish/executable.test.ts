import { expect, test } from "bun:test";
import { readFile } from "node:fs/promises";
import { bundleIn } from "./executable.ts";

test("a text is no executable", () => {
  expect(() => bundleIn(Buffer.from("#!/bin/sh\n"))).toThrow("not an executable");
});

test.skipIf(process.platform !== "linux")("an executable of another compiler has no bundle", async () => {
  const shell = await readFile("/bin/sh");
  expect(() => bundleIn(shell)).toThrow("not compiled by Bun");
});
