/** A text in both languages of the report. */
export interface Text {
  readonly en: string;
  readonly fr: string;
}

export type Language = keyof Text;

export const text = (en: string, fr: string): Text => ({ en, fr });

/** What reads the same in both. */
export const same = (both: string): Text => text(both, both);

/** What a rule saw that is wrong. */
export interface Finding {
  readonly seen: Text;
  readonly expected: Text;
  /** What to do about it. */
  readonly mend: Text;
}

export const finding = (seen: Text, expected: Text, mend: Text): Finding => ({ seen, expected, mend });
