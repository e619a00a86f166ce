// An OpenAPI document of a service: its routes as the app has them, with what is described here beside them.

import { toOpenAPISchema } from "@elysiajs/openapi/openapi";
import type { AnyElysia } from "elysia";
import { PORT, type ServiceName } from "../lab/services.ts";
import { version } from "../package.json" with { type: "json" };
import {
  type Body,
  ERROR,
  errorSchema,
  type Header,
  type PathDescription,
  type ResponseDescription,
  type Responses,
  type Schema,
  type ServiceDescription,
} from "./description.ts";

/** An Example Object. For the bytes of a JSON value OpenAPI 3.2 has a field of this name, which 3.1 has as an extension. */
export interface Example {
  readonly value: unknown;
  readonly "x-serializedValue"?: string;
}

/** The bytes of an example. */
export const bytesOf = (example: Example): string => example["x-serializedValue"] ?? String(example.value);

export interface MediaType {
  readonly schema: Schema;
  readonly examples: Readonly<Record<string, Example>>;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, MediaType>>;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** By status. Absent if nothing is sent. */
  readonly responses?: Readonly<Record<string, Response>>;
}

export type Method = "get" | "head" | "options";

/** The parts of an OpenAPI 3.1 document that are used here: https://spec.openapis.org/oas/v3.1.2.html */
export interface Document {
  readonly openapi: string;
  readonly info: {
    readonly title: string;
    readonly summary: string;
    readonly description: string;
    readonly version: string;
  };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Partial<Record<Method, Operation>>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    /** Those that are sent whatever the path is, by status. */
    readonly responses: Readonly<Record<string, Response>>;
  };
}

const ABOUT = `\`components.responses\` has the responses that no operation lists, because a path or a method that is not
here is no operation, and an error that nobody expects may come anywhere. A query is ignored.
`;

/**
 * The document of a service.
 *
 * @throws {Error} if a route is not described, or what is described is no route
 */
export function documentOf(name: ServiceName, app: AnyElysia, service: ServiceDescription): Document {
  const routes = routesOf(app);
  const unknown = Object.keys(service.paths).filter((path) => !routes.some((route) => route.path === path));
  if (unknown.length > 0) throw new Error(`${name} has no route GET ${unknown.join(", GET ")}; remove its description`);
  return {
    openapi: "3.1.2",
    info: { title: name, summary: service.summary, description: ABOUT, version },
    servers: [{ url: `http://localhost:${PORT[name]}` }],
    paths: Object.fromEntries(
      routes.map(({ path, method, operationId }) => {
        const described = service.paths[path];
        const route = `${name} has a route ${method.toUpperCase()} ${path}`;
        if (method !== "get") throw new Error(`${route}; openapi/ can describe GET only`);
        if (!described) throw new Error(`${route}; describe it in openapi/${name}.ts or, if both have it, common.ts`);
        return [path, operationsOf(operationId, described)];
      }),
    ),
    components: { schemas: { [ERROR]: errorSchema }, responses: mapValues(service.anywhere, responseOf) },
  };
}

/** All routes of an app, sorted by path: by default the plugin leaves out OPTIONS, and paths with a dot. */
const routesOf = (app: AnyElysia) =>
  Object.entries(toOpenAPISchema(app, { methods: [], staticFile: false }).paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods ?? {}).map(([method, operation]) => ({
        path,
        method,
        operationId: (operation as { operationId: string }).operationId,
      })),
    )
    .sort((one, other) => (one.path < other.path ? -1 : 1));

function operationsOf(operationId: string, { summary, description, responses }: PathDescription) {
  const get = {
    operationId,
    summary,
    ...(description && { description }),
    ...(responses && { responses: mapValues(responses, responseOf) }),
  };
  return {
    get,
    ...(responses && { head: headOf(operationId, responses) }),
    options: optionsOf(operationId, responses ? "GET, HEAD, OPTIONS" : "GET, OPTIONS"),
  };
}

const headOf = (operationId: string, responses: Responses): Operation => ({
  operationId: operationId.replace("get", "head"),
  summary: "The headers of GET",
  responses: mapValues(responses, ({ body: _, ...headers }) => headers),
});

const optionsOf = (operationId: string, methods: string): Operation => ({
  operationId: operationId.replace("get", "options"),
  summary: "The methods of the path",
  responses: {
    204: {
      description: "Always.",
      headers: { Allow: { description: "The methods.", schema: { type: "string", const: methods } } },
    },
  },
});

const responseOf = ({ description, headers, body }: ResponseDescription): Response => ({
  description,
  ...(headers && { headers }),
  ...(body && { content: { [body.type]: mediaTypeOf(body) } }),
});

const mediaTypeOf = ({ type, schema, examples }: Body): MediaType => ({
  schema,
  examples: mapValues(examples, (text) =>
    type === "application/json" ? { value: JSON.parse(text), "x-serializedValue": text } : { value: text },
  ),
});

const mapValues = <From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To) =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
