import { BUDGET_MS, MAX_CALLS } from "../api-frontend/backend.ts";
import { BODY } from "../lab/services.ts";
import { anywhere, commonPaths } from "./common.ts";
import { always, error, jsonBody, objectOf, type ServiceDescription } from "./description.ts";

const SECONDS = BUDGET_MS / 1000;
const GET = "GET / on backend API";

export const frontend: ServiceDescription = {
  summary: "Returns what the backend answers.",
  paths: {
    "/": {
      summary: "The backend's JSON",
      description: `Calls \`GET /\` of the backend, for ${SECONDS} s at most with all retries.`,
      responses: {
        200: {
          description: "The backend has answered. `return` is its JSON, whatever that is.",
          // "[SUCESS]" is the subject's spelling.
          body: jsonBody(objectOf({ return: {}, status: always("[SUCESS]") }), { answer: BODY["api-frontend"] }),
        },
        502: error(`The backend cannot be reached for ${SECONDS} s, or it sends what cannot be used.`, {
          unreachable: `${GET}: connection refused`,
          status: `${GET} 500`,
          "not HTTP": `${GET}: the head is not valid`,
          "not JSON": `${GET}: the answer is not JSON`,
          "too large": `${GET}: the answer is larger than 1 MiB`,
        }),
        503: error(
          `${MAX_CALLS.toLocaleString("en")} requests wait for the backend already, or large answers take all memory that they may.`,
          { requests: "too many requests wait for the backend", memory: "too many large answers at the same time" },
          { "Retry-After": { description: "In seconds.", schema: { type: "string", const: "1" } } },
        ),
        504: error(`The backend does not answer within ${SECONDS} s.`, {
          silent: `${GET}: no answer within ${SECONDS} s`,
        }),
      },
    },
    ...commonPaths,
  },
  anywhere,
};
