// Numbers, dates and texts as the pages show them.

import type { Language } from "../../text.ts";

/** British English writes the day before the month, as French does. */
const LOCALE = { en: "en-GB", fr: "fr-FR" } as const;

/** A number with at most one decimal, after a point or a comma. */
export const number = (value: number, language: Language, digits = 1): string =>
  value.toLocaleString(LOCALE[language], { maximumFractionDigits: digits });

/** An ISO 8601 date as it is read in the time zone of the machine; as it is if it is not a date. */
export function date(iso: string, language: Language): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : formatter(language).format(time);
}

/** The first and the last of some dates, as one text. */
export function dateRange(isos: readonly string[], language: Language): string {
  const times = isos.map((iso) => new Date(iso).getTime()).filter((time) => !Number.isNaN(time));
  if (times.length === 0) return "";
  return formatter(language).formatRange(Math.min(...times), Math.max(...times));
}

const formatter = (language: Language) =>
  new Intl.DateTimeFormat(LOCALE[language], { dateStyle: "long", timeStyle: "short" });

/** French typography: no break before the signs that follow a space. For our own sentences, not for quoted code. */
export const typeset = (words: string, language: Language): string =>
  language === "en" ? words : words.replace(/ (?=[:»])|(?<=«) /g, "\u00a0").replace(/ (?=[;!?])/g, "\u202f");
