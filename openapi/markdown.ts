// docs/api.md, made of the documents. No renderer that was found keeps the bytes of an example.

import { SERVICES } from "../lab/services.ts";
import { ERROR } from "./description.ts";
import { bytesOf, type Document, type MediaType, type Operation, type Response } from "./document.ts";

type Documents = Readonly<Record<(typeof SERVICES)[number], Document>>;

/** The documents as a text in Markdown. */
export function markdownOf(documents: Documents): string {
  const all = SERVICES.map((name) => documents[name]);
  const [first, ...others] = all as [Document, ...Document[]];
  const isShared = (path: string) => others.every(({ paths }) => Bun.deepEquals(paths[path], first.paths[path]));
  const sections = all.flatMap(({ info, servers, paths }) => [
    `## ${info.title}`,
    `${info.summary} After \`make up\` it is at ${servers.map(({ url }) => `<${url}>`).join(", ")}.`,
    ...pathsOf(paths, (path) => !isShared(path)),
  ]);
  if (others.some(({ components }) => !Bun.deepEquals(components, first.components)))
    throw new Error("the services have different errors: this page has one table for both");
  const both = ["## Both services", ...pathsOf(first.paths, isShared), ...errorsOf(first)];
  return `${[...sections, ...both].join("\n\n")}\n`;
}

const pathsOf = (paths: Document["paths"], isWanted: (path: string) => boolean): string[] =>
  Object.entries(paths).flatMap(([path, { get }]) => (get && isWanted(path) ? getOf(path, get) : []));

/** The section of `GET` on one path. */
function getOf(path: string, { summary, description, responses }: Operation): string[] {
  const text = [summary, description].filter(Boolean).join(". ");
  return [
    `### \`GET ${path}\``,
    `${text.replace(/\.?$/, ".")}`,
    ...(responses ? [tableOf(responses), ...Object.entries(responses).flatMap(bodiesOf)] : []),
  ];
}

/** The responses by status, with the messages of those that are errors. */
const tableOf = (responses: Operation["responses"] = {}): string =>
  table(
    ["status", "when", "headers", "examples of `error_message`"],
    Object.entries(responses).map(([status, response]) => [
      `\`${status}\``,
      response.description,
      headersOf(response),
      messagesOf(response),
    ]),
  );

const headersOf = ({ headers = {} }: Response): string =>
  Object.entries(headers)
    .map(([name, { schema }]) => (schema.const === undefined ? `\`${name}\`` : `\`${name}: ${schema.const}\``))
    .join("<br>");

const isError = ({ schema }: MediaType): boolean => schema.$ref === `#/components/schemas/${ERROR}`;

const messagesOf = ({ content = {} }: Response): string =>
  Object.values(content)
    .filter(isError)
    .flatMap(({ examples }) => Object.values(examples))
    .map(({ value }) => `\`${(value as { error_message: string }).error_message}\``)
    .join("<br>");

/** The bodies of a response that is not an error. */
const bodiesOf = ([status, { content = {} }]: [string, Response]): string[] =>
  Object.entries(content).flatMap(([type, media]) =>
    isError(media)
      ? []
      : Object.values(media.examples).map(
          (example) => `\`${status}\`, \`${type}\`:\n\n${fenced(type, bytesOf(example))}`,
        ),
  );

const fenced = (type: string, text: string): string =>
  `\`\`\`${type === "application/json" ? "json" : "text"}\n${text}\`\`\``;

/** Other methods, other paths, and the layout of all errors. */
function errorsOf({ paths, components }: Document): string[] {
  const example = Object.values(components.responses).flatMap(({ content = {} }) => Object.values(content))[0];
  const layout = Object.values(example?.examples ?? {})[0];
  return [
    "### Other requests, and errors",
    table(["request", "response"], [...methodsOf(paths, "head"), ...methodsOf(paths, "options")]),
    tableOf(components.responses),
    "Each error is JSON in this layout, to the byte:",
    fenced("application/json", layout ? bytesOf(layout) : ""),
  ];
}

/** A row for each of the different responses to a method, with the paths that have it. */
function methodsOf(paths: Document["paths"], method: "head" | "options"): string[][] {
  const rows = Map.groupBy(
    Object.entries(paths).filter(([, operations]) => operations[method]),
    ([, operations]) => {
      const { summary = "", responses = {} } = operations[method] ?? {};
      if (method === "head") return `${summary}, without the body`;
      return Object.entries(responses).map(([status, response]) => `\`${status}\`, ${headersOf(response)}`)[0] ?? "";
    },
  );
  return [...rows].map(([response, entries]) => [
    `\`${method.toUpperCase()}\` on ${entries.map(([path]) => `\`${path}\``).join(", ")}`,
    response,
  ]);
}

/** A table without the columns that are empty. */
function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = columns.map((_, i) => rows.some((row) => row[i] !== ""));
  const line = (cells: readonly string[]) => `| ${cells.filter((_, i) => used[i]).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}
