// The prompt bears an escape sequence that no terminal shows, with the exit code of the command before it: the mark for
// the end of a command in https://gitlab.freedesktop.org/Per_Bothner/specifications/-/blob/master/proposals/semantic-prompts.md

/** For PS1. The shell replaces `$?`. */
export const PROMPT = "\x1b]133;D;$?\x07$ ";

/** Matches the mark; its group is the exit code. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal gets
export const MARK = /\x1b\]133;D;(\d+)\x07/;

/** Output up to the prompt that ends it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a terminal gets
export const ENDED = /^([\s\S]*)\x1b\]133;D;(\d+)\x07\$ $/;
