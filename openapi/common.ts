// What both services answer in addition to GET /.

import { stringify } from "../service/json.ts";
import { METRICS_TYPE } from "../service/metrics.ts";
import { always, constant, error, jsonBody, objectOf, type PathDescription, type Responses } from "./description.ts";

/** The body of a probe. */
const status = (name: string) => jsonBody(objectOf({ status: always(name) }), { [name]: stringify({ status: name }) });

/** Lines of every scrape, whatever the service. */
const SCRAPED = `# HELP service_draining 1 once a signal to stop has come, else 0.
# TYPE service_draining gauge
service_draining 0
`;

const ALLOW = {
  description: "The methods of the path.",
  schema: { type: "string", pattern: "^GET, (HEAD, )?OPTIONS$" },
};

export const commonPaths: Readonly<Record<string, PathDescription>> = {
  "/healthz": {
    summary: "Whether the process lives",
    description: "Says nothing about the backend.",
    responses: constant("The process can answer, also while it stops.", status("ok")),
  },
  "/readyz": {
    summary: "Whether it may get requests",
    description: "Says nothing about the backend.",
    responses: {
      200: { description: "It may.", body: status("ready") },
      503: { description: "A signal to stop has come.", body: status("draining") },
    },
  },
  "/metrics": {
    summary: "Metrics in Prometheus' text format",
    responses: {
      200: {
        description: "The metrics now. The example is three of their lines.",
        body: { type: METRICS_TYPE["content-type"], schema: { type: "string" }, examples: { excerpt: SCRAPED } },
      },
    },
  },
  "/traceback": {
    summary: "Crashes the service",
    description: "The process ends with exit code 1, and the connection closes without a byte of a response.",
  },
};

export const anywhere: Responses = {
  400: error("The `Host` header is not valid, and the response would have been `204`, `404` or `405`.", {
    host: "the Host header is not valid",
  }),
  404: error("There is no such path.", { path: "not found" }),
  405: error("The path does not have the method.", { method: "method not allowed" }, { Allow: ALLOW }),
  500: error("An error that nobody expected; what it was is in the log only.", { error: "internal error" }),
};
