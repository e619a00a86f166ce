// renovate.json finds every place where a base image stands, and changes it so that all agree again.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { runOrThrow } from "../host/command.ts";
import { packageManager } from "../package.json" with { type: "json" };
import { customManagers, packageRules } from "../renovate.json" with { type: "json" };

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
/** Each mention of a base image, as other programs than Renovate would search for it. */
const BASE_IMAGE = /[\w.]+\/(?:oven\/bun|distroless\/[\w-]+):[\w.-]+(?:@sha256:\w+)?/g;
/** Renovate's own manager for Dockerfiles follows an ARG that stands before the first FROM and is used in one. */
const FROM_ARG = /^ARG ([A-Z_]+)=(.+)$(?=[\s\S]*^FROM (?:--platform=\S+ )?\$\{\1\})/gm;

/** The base images that a text mentions. */
const mentions = (text: string) => [...text.matchAll(BASE_IMAGE)].map(([image]) => image);

interface Manager {
  managerFilePatterns: string[];
  matchStrings: string[];
  depNameTemplate?: string;
  autoReplaceStringTemplate?: string;
}
const managers: Manager[] = customManagers;

const tracked = (await runOrThrow(["git", "ls-files"])).split("\n").filter((file) => !/\.(svg|png|lock)$/.test(file));
/** The files of this repository that name a base image. The tests make up their own. */
const places = tracked
  .filter((file) => !/\.test\.ts$/.test(file) && mentions(readFileSync(file, "utf8")).length > 0)
  .sort();

/** The managers that read a file, with their pattern, which is RE2 to Renovate. */
const managersOf = (file: string) =>
  managers
    .filter(({ managerFilePatterns }) => managerFilePatterns.includes(file))
    .flatMap((manager) => manager.matchStrings.map((pattern) => ({ ...manager, pattern: new RegExp(pattern, "g") })));

/** The base images that Renovate sees in a file. */
function found(file: string): string[] {
  const text = readFileSync(file, "utf8");
  if (file.endsWith("/Dockerfile")) return [...text.matchAll(FROM_ARG)].map(([, , image = ""]) => image);
  return managersOf(file).flatMap(({ pattern }) => text.match(pattern) ?? []);
}

/** The text of a file after Renovate has pinned its images by digest. */
function pinned(file: string): string {
  return managersOf(file).reduce(
    (text, { pattern, autoReplaceStringTemplate: template }) => {
      if (template === undefined) return text;
      return text.replace(pattern, (...match) => {
        const { depName, currentValue } = match.at(-1) as Record<string, string>;
        return template
          .replace("{{{depName}}}", depName ?? "")
          .replace("{{{newValue}}}", currentValue ?? "")
          .replace("{{#if newDigest}}@{{{newDigest}}}{{/if}}", `@${DIGEST}`);
      });
    },
    readFileSync(file, "utf8"),
  );
}

test("the files that name a base image are those that Renovate knows", () => {
  expect(places).toEqual([
    ".env.example",
    "api-backend/Dockerfile",
    "api-frontend/Dockerfile",
    "docker-compose.yaml",
    "docs/proxy.md",
  ]);
});

test.each(places)("%s: Renovate sees each mention of a base image", (file) => {
  expect(found(file)).toEqual(mentions(readFileSync(file, "utf8")));
});

describe("once images are pinned by digest,", () => {
  test.each([".env.example", "docker-compose.yaml"])("%s says the same, with a digest behind each tag", (file) => {
    const before = readFileSync(file, "utf8");
    const after = pinned(file);
    expect(mentions(after)).toEqual(mentions(before).map((image) => `${image.replace(/@.*/, "")}@${DIGEST}`));
    expect(after.replace(/@sha256:\w+/g, "")).toBe(before.replace(/@sha256:\w+/g, ""));
  });

  test("Renovate sees the digests, to replace them", () => {
    for (const { pattern } of managersOf("docker-compose.yaml"))
      for (const match of pinned("docker-compose.yaml").matchAll(pattern))
        expect(match.groups?.currentDigest).toBe(DIGEST);
  });
});

test("one pull request changes Bun everywhere", () => {
  const group = packageRules.find(({ groupName }) => groupName === "Bun")?.matchPackageNames ?? [];
  const images = places.flatMap((file) => found(file).filter((image) => image.includes("bun:")));
  const names = managers.flatMap(({ depNameTemplate = "" }) => (/bun$/.test(depNameTemplate) ? [depNameTemplate] : []));
  const mentioned = images.map((image) => image.split(":")[0] ?? "").filter((name) => !name.startsWith("mirror."));
  expect(group.toSorted()).toEqual([...new Set(["bun", "bun-types", ...mentioned, ...names])].toSorted());
  for (const image of images) expect(image).toContain(`:${packageManager.replace("bun@", "")}`);
});

test("the versions of kubectl that the tests use are seen", () => {
  const text = readFileSync("testing/kubectl.ts", "utf8");
  const versions = managersOf("testing/kubectl.ts").flatMap(({ pattern }) => [...text.matchAll(pattern)]);
  const names = /PACKAGES = \{(.*)\}/.exec(text)?.[1]?.split(",") ?? [];
  expect(versions.map(([match]) => match)).toEqual(names.map((name) => name.trim()));
});
