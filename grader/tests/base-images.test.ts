// Images that a submission is built on: a registry's trouble is not the student's, an image that is not there is.

import { afterEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { describeWithEngine } from "../../testing/engine.ts";
import { pullImages } from "../base-images.ts";
import { requireEngine } from "../compose.ts";
import { Ungradable } from "../errors.ts";
import { removeWorkFolders } from "../work-folder.ts";
import { change, type Files, right, submissionOf, write } from "./submissions.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  removeWorkFolders();
});

async function read(files: Files) {
  await requireEngine();
  folders.push(write(files));
  return submissionOf(folders.at(-1) ?? "");
}

const withDockerfile = (text: string): Files => change(right, ["api-backend/Dockerfile", /[\s\S]*/, text]);

describeWithEngine("the images that a submission is built on", () => {
  /** A registry that answers everything in one way. */
  async function pullFrom(status: number, error: { code: string; message: string }) {
    const answer = () => Response.json({ errors: [error] }, { status });
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
    try {
      await pullImages(await read(withDockerfile(`FROM 127.0.0.1:${server.port}/some/image:1\n`)));
    } finally {
      await server.stop(true);
    }
  }

  test.each([
    ["a limit of the registry", 429, { code: "TOOMANYREQUESTS", message: "too many requests" }],
    ["a failure of the registry", 503, { code: "UNAVAILABLE", message: "try again later" }],
  ])("%s ends the grading, for another try", async (_, status, error) => {
    const outcome = await pullFrom(status, error).catch((thrown) => thrown);
    expect(outcome).toBeInstanceOf(Ungradable);
    expect(outcome.message).not.toContain("docker load");
    expect(outcome).toMatchObject({ passes: true, message: expect.stringContaining("could not be pulled: ") });
  });

  test("a registry that cannot be reached does, too", async () => {
    const submission = await read(withDockerfile("FROM 127.0.0.1:9/some/image:1\n"));
    const outcome = await pullImages(submission).catch((thrown) => thrown);
    expect(outcome).toBeInstanceOf(Ungradable);
    expect(outcome.message).toContain("some/image:1 could not be pulled: ");
    expect(outcome.message).toEndWith(": docker load it, or use another network");
  });

  test("nor can it for a copy of this repository, which is told of stand-ins", async () => {
    const files = withDockerfile("FROM 127.0.0.1:9/some/image:1\n");
    const submission = await read({ ...files, "scripts/standin": "#!/bin/sh\n" });
    await expect(pullImages(submission)).rejects.toThrow("give it the .env that make bases writes (docs/proxy.md)");
  });

  test("a stand-in that is not here is not looked for in a registry", async () => {
    const submission = await read(withDockerfile("FROM localhost/tpdocker-standin/bun:none\n"));
    await expect(pullImages(submission)).rejects.toThrow(
      "localhost/tpdocker-standin/bun:none is a stand-in that is not on this machine: if no registry is reached from here, make bases",
    );
  });

  test.each([
    ["an image that is not there", 404, { code: "MANIFEST_UNKNOWN", message: "manifest unknown" }],
    ["an image that is not public", 403, { code: "DENIED", message: "requested access to the resource is denied" }],
  ])("%s is left to the build, which fails", async (_, status, error) => {
    expect(await pullFrom(status, error)).toBeUndefined();
  });
});
