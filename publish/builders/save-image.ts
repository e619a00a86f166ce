import { docker } from "../../host/docker.ts";
import { Refusal } from "../../host/refusal.ts";

/**
 * Writes an image of the engine as a tar: in Docker's format, and from version 25 of the engine on in the OCI layout too.
 *
 * @throws {Refusal} if it cannot
 */
export async function saveImage(name: string, file: string): Promise<void> {
  const { code, stderr } = await docker(["save", "--output", file, name]);
  if (code !== 0) throw new Refusal(`the image ${name} cannot be taken from the engine.`, stderr.trim());
}
