/** A command of a page, and the output that the page shows of it. */
export interface Example {
  readonly command: string;
  readonly shown?: string;
}

/**
 * The commands of a page's fenced blocks: in `console` with a prompt, and the output shown below; in `sh` alone.
 *
 * @throws {Error} if there is a block of another kind
 */
export function examplesOf(page: string): Example[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([block, language, text = ""]) => {
    if (language === "sh")
      return text
        .trim()
        .split("\n")
        .map((line) => ({ command: line.replace(/ +#.*/, "") }));
    if (language !== "console" || !text.startsWith("$ ")) throw new Error(`not sh, and not console:\n${block}`);
    return text
      .split(/^\$ /m)
      .slice(1)
      .map((part) => ({ command: part.split("\n", 1)[0] ?? "", shown: part.slice(part.indexOf("\n") + 1) }));
  });
}
