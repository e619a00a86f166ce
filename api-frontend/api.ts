import { Elysia } from "elysia";
import { host, port } from "../service/config.ts";
import { traceback } from "../service/crash.ts";
import { conventions, SETTINGS } from "../service/http.ts";
import { json } from "../service/json.ts";
import { serve } from "../service/serve.ts";
import { Backend } from "./backend.ts";
import { backendMetrics, durationHistogram, responseCounter } from "./metrics.ts";

/** The frontend of the lab, calling the backend at this host and port. */
export function api(host: string, port: number) {
  const backend = new Backend(host, port);
  const responses = responseCounter();
  const durations = durationHistogram();
  return new Elysia(SETTINGS)
    .use(conventions(responses, durations, ...backendMetrics(backend)))
    .get("/", async ({ request }) => {
      const start = performance.now();
      try {
        // "[SUCESS]" is the subject's spelling.
        const response = json({ return: await backend.get(request), status: "[SUCESS]" });
        responses.add(200);
        return response;
      } finally {
        durations.add((performance.now() - start) / 1000);
      }
    })
    .get("/traceback", traceback);
}

if (import.meta.main) {
  serve({
    name: "api-frontend",
    port: 8000,
    variables: { API_BACKEND_URL: host, API_BACKEND_PORT: port },
    app: ({ API_BACKEND_URL, API_BACKEND_PORT }) => api(API_BACKEND_URL, API_BACKEND_PORT),
  });
}
