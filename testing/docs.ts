import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Replaces the text between `<!-- marker -->` and `<!-- /marker -->` of a page in docs/.
 *
 * @throws {Error} if the page does not contain both markers
 */
export function writeDocs(page: string, marker: string, text: string): void {
  const file = join(import.meta.dir, "../docs", page);
  const old = readFileSync(file, "utf8");
  const begin = `<!-- ${marker} -->\n`;
  const [from, to] = [old.indexOf(begin) + begin.length, old.indexOf(`<!-- /${marker} -->`)];
  if (from < begin.length || to < from) throw new Error(`docs/${page} does not contain <!-- ${marker} -->`);
  writeFileSync(file, old.slice(0, from) + text + old.slice(to));
}
