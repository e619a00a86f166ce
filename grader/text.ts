/** A text in both languages of the report. */
export interface Text {
  readonly en: string;
  readonly fr: string;
}

export type Language = keyof Text;

/** More than any text of a report has. */
const MAX_CHARACTERS = 2000;

/**
 * A text without characters that steer a terminal or change the order of what is read, and without the beginnings of
 * workflow commands of GitHub (`::error` at the start of a line, `##[error]` anywhere) and Azure (`##vso[`): submissions choose the names and
 * responses that it quotes.
 */
export const printable = (words: string) =>
  words
    .slice(0, MAX_CHARACTERS)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, "�")
    .replace(/^\s*::/, ": :")
    .replace(/##(?=(vso)?\[)/g, "## ");

export const text = (en: string, fr: string): Text => ({ en: printable(en), fr: printable(fr) });

/** A text that reads the same in both languages. */
export const untranslated = (both: string): Text => text(both, both);

/** Something that a rule found wrong. */
export interface Finding {
  readonly seen: Text;
  readonly expected: Text;
  /** What the student should do about it. */
  readonly fix: Text;
}

export const finding = (seen: Text, expected: Text, fix: Text): Finding => ({ seen, expected, fix });
