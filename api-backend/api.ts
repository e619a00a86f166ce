import { Elysia } from "elysia";
import { traceback } from "../service/crash.ts";
import { conventions, SETTINGS } from "../service/http.ts";
import { serve } from "../service/serve.ts";

// A text, not an object to format: the subject fixes its bytes, with one space and an escaped é.
const body = '{"body": "Je suis une r\\u00e9ponse du backend"}\n';

/** The backend of the lab. */
export const api = new Elysia(SETTINGS)
  .use(conventions)
  // Bun sends a constant response itself, without running JavaScript.
  .get("/", new Response(body, { headers: { "content-type": "application/json" } }))
  .get("/traceback", traceback);

if (import.meta.main) serve({ name: "api-backend", port: 8001, app: () => api });
