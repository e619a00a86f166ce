// The documents of openapi/ agree with the executables: every response that they list is caused and compared.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { SERVICES } from "../../lab/services.ts";
import type { Document } from "../../openapi/document.ts";
import { documents } from "../../openapi/documents.ts";
import { startService } from "../../testing/executables.ts";
import { rawRequest, sendRaw } from "../../testing/raw-http.ts";
import { type Case, casesOf, expectDescribed } from "./cases.ts";
import { CAUSES, plain, start, stop } from "./causes.ts";

setDefaultTimeout(120_000);
beforeAll(start);
afterAll(stop);

/** A document without references. */
async function resolved(document: Document): Promise<Document> {
  const validator = new Validator();
  await validator.validate(structuredClone(document) as unknown as Record<string, unknown>);
  return validator.resolveRefs() as unknown as Document;
}

const resolvedDocuments = {
  "api-backend": await resolved(documents["api-backend"]),
  "api-frontend": await resolved(documents["api-frontend"]),
};
const cases = SERVICES.flatMap((name) => casesOf(name, resolvedDocuments[name]));

describe.each([...SERVICES])("%s", (name) => {
  const own = cases.filter((one) => one.name === name);
  const paths = Object.entries(resolvedDocuments[name].paths);

  test.concurrent.each(own)("$title", async (expected) => {
    const cause = CAUSES[expected.cause];
    if (!cause) throw new Error(`nothing in CAUSES causes ${expected.title}`);
    expectDescribed(await cause(expected), expected);
  });

  const silent = paths.filter(([, { get }]) => !get?.responses).map(([path]) => path);
  test.concurrent.each(silent)("GET %s has no response", async (path) => {
    const { port, child } = await startService(name, { API_BACKEND_URL: "127.0.0.1", API_BACKEND_PORT: "1" });
    expect(await sendRaw(port, rawRequest("GET", path))).toBe("");
    expect(await child.exited).toBe(1);
  });

  test.concurrent.each(paths)("%s has the methods of the document and no others", async (path, operations) => {
    const notAllowed = own.find(({ status }) => status === "405");
    const allow = operations.options?.responses?.[204]?.headers?.Allow?.schema.const;
    for (const method of ["HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"]) {
      if (method.toLowerCase() in operations) continue;
      const received = await plain({ name, method, path });
      expectDescribed(received, { ...(notAllowed as Case), method });
      expect(received.headers.allow).toBe(String(allow));
    }
  });

  test("every status that the sources or the test of the contract name is described", async () => {
    const sources = [...new Bun.Glob(`{service,${name}}/*.ts`).scanSync()].filter((file) => !file.endsWith(".test.ts"));
    const files = name === "api-frontend" ? [...sources, "tests/contract.test.ts"] : sources;
    const texts = await Promise.all(files.map((file) => Bun.file(file).text()));
    const named = [...texts.join("\n").matchAll(STATUS)].flatMap((match) => match.slice(1).filter(Boolean));
    // 200 is what responses have by default, 304 comes from Bun, and 499 is for the log alone.
    const statuses = new Set([...named, "200", "304"].filter((status) => status !== "499"));
    expect([...statuses].sort()).toEqual([...new Set(own.map(({ status }) => status))].sort());
  });
});

const STATUS = /(?:errorResponse|Failure|failed|response)\(["\s]*(\d{3})\b|status: (\d{3})\b|HTTP\/1\.1 (\d{3})\b/g;

test("every response that the tests can cause is described", () => {
  expect(Object.keys(CAUSES).sort()).toEqual([...new Set(cases.map(({ cause }) => cause))].sort());
});
