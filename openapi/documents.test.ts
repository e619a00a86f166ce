// The documents agree with the routes, with docs/, and with the official schema of OpenAPI.

import { describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Elysia } from "elysia";
import { SERVICES } from "../lab/services.ts";
import type { PathDescription } from "./description.ts";
import { type Document, documentOf } from "./document.ts";
import { documents, files } from "./documents.ts";
import { markdownOf } from "./markdown.ts";

const HINT = "run make api-docs, and commit what it changes";

test.each(Object.entries(files))("docs/%s is what the routes give", async (file, text) => {
  expect(await Bun.file(`docs/${file}`).text(), HINT).toBe(text);
});

test("docs/api.md is made of the documents", async () => {
  expect(await Bun.file("docs/api.md").text(), HINT).toContain(`<!-- api -->\n${markdownOf(documents)}<!-- /api -->`);
});

const validate = (document: unknown) => new Validator().validate(structuredClone(document) as Record<string, unknown>);

describe.each([...SERVICES])("%s", (name) => {
  const document = documents[name];

  test("is valid OpenAPI 3.1", async () => {
    expect(await validate(document)).toEqual({ valid: true });
    expect((await validate({ ...document, info: {} })).valid).toBe(false);
  });

  test("has each operationId once", () => {
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((one) => one.operationId));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("routes and descriptions cannot drift:", () => {
  const described = (...paths: string[]) => ({
    summary: "Something.",
    paths: Object.fromEntries(paths.map((path): [string, PathDescription] => [path, { summary: "Something" }])),
    anywhere: {},
  });
  const build = (app: Elysia, ...paths: string[]): Document =>
    documentOf("api-backend", app as never, described(...paths));

  test.each(["/more", "/robots.txt"])("the route %s is not described", (path) => {
    const app = new Elysia().get("/", "").get(path, "") as never;
    expect(() => build(app, "/")).toThrow(`api-backend has a route GET ${path}; describe it in openapi/api-backend.ts`);
    expect(Object.keys(build(app, "/", path).paths)).toEqual(["/", path]);
  });

  test.each(["POST", "OPTIONS"])("a route of the method %s", (method) => {
    const app = new Elysia().get("/", "").route(method, "/", "") as never;
    expect(() => build(app, "/")).toThrow(`api-backend has a route ${method} /; openapi/ can describe GET only`);
  });

  test("a description without a route", () => {
    const app = new Elysia().get("/", "") as never;
    expect(() => build(app, "/", "/gone")).toThrow("api-backend has no route GET /gone; remove its description");
  });
});

test.each([...SERVICES])("the executable of %s holds nothing of this", async (name) => {
  const { metafile } = await Bun.build({
    entrypoints: [`${name}/api.ts`],
    target: "bun",
    external: ["file-type"],
    metafile: true,
  });
  const inputs = Object.keys(metafile?.inputs ?? {});
  expect(inputs).toContain("service/serve.ts");
  expect(inputs.filter((input) => input.includes("openapi"))).toEqual([]);
});
