import { BODY } from "../lab/services.ts";
import { anywhere, commonPaths } from "./common.ts";
import { always, constant, jsonBody, objectOf, type ServiceDescription } from "./description.ts";

export const backend: ServiceDescription = {
  summary: "A constant response.",
  paths: {
    "/": {
      summary: "The constant",
      responses: constant(
        "Always.",
        jsonBody(objectOf({ body: always("Je suis une réponse du backend") }), { constant: BODY["api-backend"] }),
      ),
    },
    ...commonPaths,
  },
  anywhere,
};
