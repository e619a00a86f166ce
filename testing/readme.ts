import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Puts text between `<!-- name -->` and `<!-- /name -->` of the README.
 *
 * @throws {Error} where it has no such place
 */
export function writeReadme(name: string, text: string): void {
  const file = join(import.meta.dir, "../README.md");
  const readme = readFileSync(file, "utf8");
  const begin = `<!-- ${name} -->\n`;
  const [from, to] = [readme.indexOf(begin) + begin.length, readme.indexOf(`<!-- /${name} -->`)];
  if (from < begin.length || to < from) throw new Error(`README.md has no place <!-- ${name} -->`);
  writeFileSync(file, readme.slice(0, from) + text + readme.slice(to));
}
