import { type Text, text } from "./text.ts";

/** The states of a container, as the engine calls them in English: https://docs.docker.com/reference/cli/docker/container/ls/#status */
const FRENCH: Readonly<Record<string, string>> = {
  created: "créé",
  running: "en marche",
  paused: "en pause",
  restarting: "en cours de redémarrage",
  removing: "en cours de suppression",
  exited: "arrêté",
  dead: "hors d'usage",
};

/** The state of a container, for the report. */
export const statusText = (status: string): Text => text(status, FRENCH[status] ?? status);
