// Commands that are shown as they are run.

import { type Outcome, run } from "../host/command.ts";
import { columns, type Screen } from "./screen.ts";

const TIMEOUT_S = 60;

/** A command as a shell reads it, broken into lines that fit. */
export function shown(words: readonly string[], width = columns()): string {
  const quoted = words.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  const lines: string[] = [];
  quoted.forEach((word, i) => {
    const last = lines.at(-1);
    // An option begins a line rather than end it. The prompt or the indentation goes before, a backslash after.
    const part = word.startsWith("-") ? `${word} ${quoted[i + 1] ?? ""}` : word;
    if (last !== undefined && last.length + part.length + 7 <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  });
  return lines.join(" \\\n    ");
}

/**
 * Shows a command, runs it, and shows what it prints.
 *
 * @param actual what is run instead, with options that are not shown
 */
export async function showRun(screen: Screen, words: readonly string[], actual = words): Promise<Outcome> {
  screen.command(shown(words));
  const outcome = await run(actual, { seconds: TIMEOUT_S, ownGroup: true });
  screen.output(`${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

/** Keep curl from using a proxy and the user's own configuration, and from drawing its progress. */
const CURL_OPTIONS = ["-q", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20"];

/** @param words after `curl` */
export const showCurl = (screen: Screen, ...words: readonly string[]): Promise<Outcome> =>
  showRun(screen, ["curl", ...words], ["curl", ...CURL_OPTIONS, ...words]);
