// Where the pages of a class are, and how they link to each other.

import type { Language } from "../../text.ts";

export const LANGUAGES: readonly Language[] = ["en", "fr"];

export const pageName = (language: Language): string => (language === "en" ? "index.html" : `index.${language}.html`);

/** The folder of a submission's page, logs and results, within the folder of the class. */
export const submissionFolder = (id: string): string => `submissions/${id}`;

/** The address of a submission's page, from the page of the class. An id may hold letters that an address cannot. */
export const submissionHref = (id: string, language: Language): string =>
  `submissions/${encodeURIComponent(id)}/${pageName(language)}`;

export const classHref = (language: Language): string => `../../${pageName(language)}`;

/** What a grading may leave beside a submission's page. */
export const LOG_FILES = ["build.log", "up.log", "backend.log", "frontend.log"] as const;
export type LogFile = (typeof LOG_FILES)[number];
