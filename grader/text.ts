/** A text in both languages of the report. */
export interface Text {
  readonly en: string;
  readonly fr: string;
}

export type Language = keyof Text;

export const text = (en: string, fr: string): Text => ({ en, fr });

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
