import { Elysia } from "elysia";
import { traceback } from "../service/crash.ts";
import { conventions, SETTINGS } from "../service/http.ts";
import { Counter } from "../service/metrics.ts";
import { serve } from "../service/serve.ts";

// A text, not an object to format: the subject fixes its bytes, with one space and an escaped é.
const body = '{"body": "Je suis une r\\u00e9ponse du backend"}\n';

const responses = new Counter<number>(
  "http_error_responses_total",
  "Responses by status code, except for 200: those are sent without running code that could count. See the frontend's backend_calls_total.",
  "code",
  [404, 405, 500],
);

/** The backend of the lab. */
export const api = new Elysia(SETTINGS)
  .use(conventions(responses))
  // Bun sends a constant response itself, without running JavaScript.
  .get("/", new Response(body, { headers: { "content-type": "application/json" } }))
  .get("/traceback", traceback);

if (import.meta.main) serve({ name: "api-backend", port: 8001, app: () => api });
