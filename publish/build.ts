// Builds a service, and writes it as an OCI layout.
import { join } from "node:path";
import type { Builder, BuildInputs } from "./builder.ts";
import { type Layout, readLayout } from "./oci-layout.ts";
import { writeLayout } from "./write-layout.ts";

/** The name of the index in the layouts. */
export const LAYOUT_NAME = "image";

/** @param folder is made; the layout is in it */
export async function buildLayout(builder: Builder, inputs: BuildInputs, folder: string): Promise<Layout> {
  const layout = join(folder, "layout");
  await writeLayout(layout, LAYOUT_NAME, await builder.build(inputs, join(folder, "built")));
  return readLayout(layout);
}
