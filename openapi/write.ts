// Writes the documents and docs/api.md: make api-docs

import { join } from "node:path";
import { writeDocs } from "../testing/docs.ts";
import { documents, files } from "./documents.ts";
import { markdownOf } from "./markdown.ts";

for (const [file, text] of Object.entries(files)) await Bun.write(join(import.meta.dir, "../docs", file), text);
writeDocs("api.md", "api", markdownOf(documents));
