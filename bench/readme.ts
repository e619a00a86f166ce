import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Puts text between `<!-- name -->` and `<!-- /name -->` of the README.
 *
 * @throws {Error} where it has no such place
 */
export function writeReadme(name: string, text: string): void {
  const file = join(import.meta.dir, "../README.md");
  const [before, , after] = readFileSync(file, "utf8").split(
    new RegExp(`(?<=<!-- ${name} -->\n)|(?=<!-- /${name} -->)`),
  );
  if (before === undefined || after === undefined) throw new Error(`README.md has no place <!-- ${name} -->`);
  writeFileSync(file, before + text + after);
}
