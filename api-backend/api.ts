import { Elysia } from "elysia";
import { traceback } from "../service/crash.ts";
import { conventions, SETTINGS } from "../service/http.ts";
import { serve } from "../service/serve.ts";

// Given as text, and not made from an object: the subject fixes the bytes, the escaped é among them.
const body = '{"body": "Je suis une r\\u00e9ponse du backend"}\n';

/** The backend of the lab. */
export const api = new Elysia(SETTINGS)
  .use(conventions)
  // A finished Response is answered by Bun itself, without running JavaScript.
  .get("/", new Response(body, { headers: { "content-type": "application/json" } }))
  .get("/traceback", traceback);

if (import.meta.main) serve({ name: "api-backend", port: 8001, app: () => api });
