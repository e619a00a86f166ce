// The documents of both services, and the files in docs/ that hold them.

import { stringify } from "yaml";
import { api as backendApp } from "../api-backend/api.ts";
import { api as frontendApp } from "../api-frontend/api.ts";
import { SERVICES, type ServiceName } from "../lab/services.ts";
import { backend } from "./api-backend.ts";
import { frontend } from "./api-frontend.ts";
import { type Document, documentOf } from "./document.ts";

export const documents: Readonly<Record<ServiceName, Document>> = {
  "api-backend": documentOf("api-backend", backendApp, backend),
  // Nothing is called at this address.
  "api-frontend": documentOf("api-frontend", frontendApp("127.0.0.1", 1), frontend),
};

const HEAD = "# Made by `make api-docs` from the routes and from what openapi/ says of them.\n";

/** The texts of the files, by their names in docs/. */
export const files: Readonly<Record<string, string>> = Object.fromEntries(
  SERVICES.map((name) => [
    name.replace("api-", "openapi-").concat(".yaml"),
    HEAD + stringify(documents[name], { lineWidth: 120, aliasDuplicateObjects: false }),
  ]),
);
