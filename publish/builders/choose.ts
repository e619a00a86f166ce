import { Refusal } from "../../host/refusal.ts";
import type { Builder } from "../builder.ts";
import { findBuildah } from "./buildah.ts";

/** @throws {Refusal} if there is none */
export async function chooseBuilder(_wanted?: string): Promise<Builder> {
  const builder = await findBuildah();
  if (builder) return builder;
  throw new Refusal("no builder");
}
