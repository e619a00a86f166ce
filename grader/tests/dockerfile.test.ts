import { expect, test } from "bun:test";
import { type BuildOptions, baseImagesOf, labelsOf } from "../dockerfile.ts";

const labels = (dockerfile: string, options?: BuildOptions) => Object.fromEntries(labelsOf(dockerfile, options));

test.each([
  ["LABEL hub_url=a/b", "a/b"],
  ['LABEL "hub_url"="a/b" other=1', "a/b"],
  ["label hub_url a/b", "a/b"],
  ["LABEL other=1 \\\n  # a comment\n  hub_url=a/b", "a/b"],
  ["LABEL hub_url=c/d\nLABEL hub_url=a/b", "a/b"],
  ["ARG ACCOUNT=a\nLABEL hub_url=$ACCOUNT/b", "a/b"],
  [`ENV ACCOUNT=a\nLABEL hub_url="$\{ACCOUNT}/b"`, "a/b"],
  ["ARG ACCOUNT=a\nENV ACCOUNT=$ACCOUNT IMAGE=b\nLABEL hub_url=$ACCOUNT/$IMAGE", "a/b"],
  ["ENV ACCOUNT=a\nARG ACCOUNT=c\nLABEL hub_url=$ACCOUNT/b", "a/b"],
  [`LABEL hub_url=$\{ACCOUNT:-a}/b`, "a/b"],
  ["ARG ACCOUNT=a\nLABEL hub_url='$ACCOUNT/b'", "$ACCOUNT/b"],
  [`ENV A=a\nLABEL hub_url=$\{A:+b}/c`, undefined],
  [`ENV A=${"a".repeat(100)}\n${"ENV A=$A$A\n".repeat(30)}LABEL hub_url=$A`, undefined],
  ["LABEL hub_url=$ACCOUNT/b\nARG ACCOUNT=a", undefined],
  ["ARG ACCOUNT\nLABEL hub_url=$ACCOUNT/b", undefined],
])("%j", (instructions, hubUrl) => {
  expect(labels(`FROM base\n${instructions}\n`)).toMatchObject({ hub_url: hubUrl });
});

test("an argument in front of the first stage counts where a stage declares it", () => {
  expect(labels("ARG A=a\nFROM base\nARG A\nLABEL hub_url=$A/b")).toEqual({ hub_url: "a/b" });
  expect(labels("ARG A=a\nFROM base\nLABEL hub_url=$A/b")).toEqual({ hub_url: undefined });
});

test("the arguments of the build come before the defaults, but not before variables", () => {
  const args = { A: "a" };
  expect(labels("FROM base\nARG A=c\nLABEL hub_url=$A/b", { args })).toEqual({ hub_url: "a/b" });
  expect(labels("FROM base\nARG A\nLABEL hub_url=$A/b", { args })).toEqual({ hub_url: "a/b" });
  expect(labels("FROM base\nARG A\nENV A=e\nLABEL hub_url=$A/b", { args })).toEqual({ hub_url: "e/b" });
  expect(labels("FROM base\nARG A=c\nLABEL hub_url=$A/b", { args: { A: "" } })).toEqual({ hub_url: "c/b" });
});

const STAGES = `FROM bun AS Base
LABEL of=base
FROM bun AS build
LABEL of=build
FROM --platform=linux/amd64 base AS last
LABEL of=last
`;

test("the labels are those of the stage that is built, and of its bases", () => {
  expect(labels(STAGES)).toEqual({ of: "last" });
  expect(labels(STAGES.replace("LABEL of=last", ""))).toEqual({ of: "base" });
  expect(labels(STAGES, { target: "build" })).toEqual({ of: "build" });
  expect(labels(STAGES, { target: "base" })).toEqual({ of: "base" });
  expect(labels(STAGES, { target: "1" })).toEqual({ of: "build" });
  expect(labels("# nothing\n")).toEqual({});
});

test("base images are those of all stages and copies, with build arguments, without its own stages", () => {
  const text = `ARG TAG=1
ARG BASE=example.org/x:\${TAG}
ARG OTHER=example.org/w:\${TAG}
FROM \${BASE} AS build
FROM \${OTHER}
FROM --platform=linux/amd64 example.org/y:$TAG
COPY --from=build / /
COPY --from=0 / /
COPY --chown=1 --from=example.org/uv:latest /uv /uv
FROM build
FROM scratch
FROM \${UNKNOWN}
`;
  const images = baseImagesOf(text, { args: { BASE: "example.org/z:2" } });
  expect(images).toEqual(["example.org/z:2", "example.org/w:1", "example.org/y:1", "example.org/uv:latest"]);
});
