// The rule `label` where nothing could be built: it is judged by the Dockerfiles alone, without an engine.

import { afterEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import type { ComposeService } from "../compose-file.ts";
import type { Grading } from "../rule.ts";
import { label, published } from "../rules/hub.ts";
import { ComposeSource } from "../safety/compose-source.ts";
import type { Service } from "../submission.ts";
import { type Files, write } from "./submissions.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A grading whose rule `up` has failed. */
function unbuilt(files: Files, backend?: ComposeService): Grading {
  const folder = write(files);
  folders.push(folder);
  const service = (definition: ComposeService): Service => ({
    role: "backend",
    name: "back",
    definition,
    dockerfile: "api-backend/Dockerfile",
  });
  const services = backend === undefined ? {} : { backend: service(backend) };
  const source = new ComposeSource(folder, new Map());
  const config = { services: {} };
  const submission = {
    name: folder,
    work: folder,
    folder,
    environment: {},
    config,
    invalid: undefined,
    source,
    services,
  };
  // There is no stack to ask.
  const stack = undefined as unknown as Grading["stack"];
  return { submission, stack, registry: "127.0.0.1:9", verdict: () => undefined, notes: {} };
}

const dockerfiles = (backend: string, frontend: string): Files => ({
  "api-backend/Dockerfile": `FROM python\n${backend}\n`,
  "api-frontend/Dockerfile": `FROM python\n${frontend}\n`,
});
const FRONTEND = "LABEL hub_url=alice/api-frontend";

test("the Dockerfiles show the labels, and a note says that they were read alone", async () => {
  const grading = unbuilt(dockerfiles("LABEL hub_url=alice/api-backend", FRONTEND));
  expect(await label.check(grading)).toEqual([]);
  expect(grading.notes.label?.en).toContain("by the Dockerfiles alone");
});

test.each([
  ["no label", "LABEL version=1", "sets no hub_url label (its labels: version)"],
  ["upper case", "LABEL hub_url=Alice/api-backend", "lower case: alice/api-backend, not Alice/api-backend"],
  ["an image of Docker's own", "LABEL hub_url=https://hub.docker.com/_/python", "python is an image of Docker's own"],
  ["the frontend's repository", FRONTEND, "the same repository for both images: alice/api-frontend"],
])("%s fails", async (_, backend, seen) => {
  const findings = await label.check(unbuilt(dockerfiles(backend, FRONTEND)));
  expect(findings.map((finding) => finding.seen.en)).toEqual([expect.stringContaining(seen)]);
});

test("a missing Dockerfile has no label", async () => {
  expect(await label.check(unbuilt({}))).toHaveLength(2);
});

test("the build arguments of the Compose file count", async () => {
  const build = { context: "api-backend", args: { ACCOUNT: "Alice" } };
  const files = dockerfiles("ARG ACCOUNT=alice\nLABEL hub_url=$ACCOUNT/api-backend", FRONTEND);
  expect(await label.check(unbuilt(files))).toEqual([]);
  expect((await label.check(unbuilt(files, { build })))[0]?.seen.en).toContain("not Alice/api-backend");
});

test("a label that the Dockerfile does not tell passes; whether it is published cannot be judged", async () => {
  const grading = unbuilt(dockerfiles("ARG ACCOUNT\nLABEL hub_url=$ACCOUNT/api-backend", FRONTEND));
  expect(await label.check(grading)).toEqual([]);
  await expect(published.check(grading)).rejects.toThrow("blocked by up");
});
