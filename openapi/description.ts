// The shape of what is said of the routes here: all that a route itself does not say.

import { stringify } from "../service/json.ts";

/** A JSON Schema of the dialect of OpenAPI 3.1, which is 2020-12. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Header {
  readonly description: string;
  readonly schema: Schema;
}

export interface Body {
  /** The `Content-Type`. */
  readonly type: string;
  readonly schema: Schema;
  /** Whole bodies to the byte, or for `text/plain` lines of one, by what they are examples of. */
  readonly examples: Readonly<Record<string, string>>;
}

export interface ResponseDescription {
  /** When it is sent, or what it is. */
  readonly description: string;
  /** All headers but `Content-Type`, `Content-Length`, `Connection` and `Date`. */
  readonly headers?: Readonly<Record<string, Header>>;
  readonly body?: Body;
}

/** Responses by status. */
export type Responses = Readonly<Record<number, ResponseDescription>>;

/** What `GET` on a path does. `HEAD` and `OPTIONS` follow from it, as they do in service/http.ts. */
export interface PathDescription {
  readonly summary: string;
  readonly description?: string;
  /** Absent: nothing at all is sent, and the path has no `HEAD`. */
  readonly responses?: Responses;
}

/** One service: its paths, and what it sends whatever the path is. */
export interface ServiceDescription {
  readonly summary: string;
  readonly paths: Readonly<Record<string, PathDescription>>;
  readonly anywhere: Responses;
}

/** A JSON body; the examples are texts. */
export const jsonBody = (schema: Schema, examples: Body["examples"]): Body => ({
  type: "application/json",
  schema,
  examples,
});

/** The schema of an object that has these properties and no others. */
export const objectOf = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});

/** The schema of a text that is always the same. */
export const always = (text: string): Schema => ({ type: "string", const: text });

/** The name of the schema of all errors in the documents. */
export const ERROR = "Error";
export const errorSchema = objectOf({ error_message: { type: "string" }, status: always("[ERROR]") });

/** An error as JSON, with one example for each message. */
export const error = (
  description: string,
  messages: Readonly<Record<string, string>>,
  headers?: ResponseDescription["headers"],
): ResponseDescription => ({
  description,
  ...(headers && { headers }),
  body: jsonBody(
    { $ref: `#/components/schemas/${ERROR}` },
    Object.fromEntries(
      Object.entries(messages).map(([name, message]) => [
        name,
        stringify({ error_message: message, status: "[ERROR]" }),
      ]),
    ),
  ),
});

/** The responses of a route whose handler is a finished response: Bun adds an `ETag` and answers `If-None-Match`. */
export const constant = (description: string, body: Body): Responses => {
  const headers = {
    ETag: { description: "Of these bytes.", schema: { type: "string", pattern: '^"[0-9a-f]{16}"$' } },
  };
  return {
    200: { description, headers, body },
    304: { description: "The request's `If-None-Match` has this `ETag`, or is `*`.", headers },
  };
};
