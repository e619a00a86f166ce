// The responses that a document lists, and how a real one is compared.

import { expect } from "bun:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ServiceName } from "../../lab/services.ts";
import type { Header } from "../../openapi/description.ts";
import { bytesOf, type Document, type Response as Documented } from "../../openapi/document.ts";
import { CAUSES, type Received, type Target } from "./causes.ts";

/** A response that a document lists, and how to cause it. */
export interface Case extends Target {
  readonly status: string;
  readonly response: Documented;
  /** The key in `CAUSES`. */
  readonly cause: string;
  /** What `GET` has as its type and, to the byte, as its body. */
  readonly body: { readonly type: string; readonly bytes: string } | undefined;
  readonly title: string;
}

/** All responses that a document lists. It has no references. */
export const casesOf = (name: ServiceName, { paths, components }: Document): Case[] => [
  ...Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses = {} }]) =>
      Object.entries(responses).flatMap(([status, response]) => {
        const ofGet = operations.get?.responses?.[status] ?? response;
        const cases = examplesOf({ name, method: method.toUpperCase(), path }, status, response, ofGet);
        // The headers are the same for all of them; the last one takes the least time.
        return method === "get" ? cases : cases.slice(-1);
      }),
    ),
  ),
  ...Object.entries(components.responses).flatMap(([status, response]) =>
    examplesOf({ name, method: "GET", path: "*" }, status, response, response),
  ),
];

/** One case for each example of the response to `GET`; one alone if there is none. */
function examplesOf(target: Target, status: string, response: Documented, { content = {} }: Documented): Case[] {
  const bodies = Object.entries(content).flatMap(([type, { examples }]) =>
    Object.entries(examples).map(([example, value]) => ({ example, body: { type, bytes: bytesOf(value) } })),
  );
  const all = bodies.length > 0 ? bodies : [{ example: "", body: undefined }];
  return all.map(({ example, body }) => {
    const own = `${target.path} ${status} ${example}`;
    const title = `${target.method} ${own}`.trim();
    return { ...target, status, response, body, cause: own in CAUSES ? own : status, title };
  });
}

/** Compares a response with its description, which has no references. */
export function expectDescribed({ status, headers, body }: Received, { method, response, ...expected }: Case): void {
  expect(String(status)).toBe(expected.status);
  expectHeaders(headers, response.headers ?? {});
  const { type = "", bytes = "" } = expected.body ?? {};
  if (type !== "") expect(headers["content-type"]).toBe(type);
  const isJson = type === "application/json";
  if (method === "HEAD" && isJson) expect(headers["content-length"]).toBe(String(bytes.length));
  const schema = method === "HEAD" ? undefined : response.content?.[type]?.schema;
  if (!schema) {
    expect(body).toBe("");
    return;
  }
  expectValid(schema, isJson ? JSON.parse(body) : body);
  if (isJson) expect(body).toBe(bytes);
  else expect(body).toContain(bytes);
}

/** They come with every response, or from its body. */
const IMPLIED = ["connection", "content-length", "content-type", "date"];

/** Compares headers with all that are described. */
function expectHeaders(headers: Received["headers"], described: Readonly<Record<string, Header>>): void {
  const sent = Object.keys(headers).filter((header) => !IMPLIED.includes(header));
  const names = Object.keys(described).map((header) => header.toLowerCase());
  expect(sent.sort()).toEqual(names.sort());
  for (const [header, { schema }] of Object.entries(described)) expectValid(schema, headers[header.toLowerCase()]);
}

const ajv = new Ajv2020({ strict: true });

function expectValid(schema: object, value: unknown): void {
  const isValid = ajv.compile(schema);
  isValid(value);
  expect(isValid.errors ?? []).toEqual([]);
}
