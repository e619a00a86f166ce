import { brief } from "../../host/command.ts";
import type { Rule } from "../rule.ts";
import { refusalFinding } from "../safety/refusal.ts";
import type { Submission } from "../submission.ts";
import { type Text, text } from "../text.ts";

export const safe: Rule = {
  id: "safe",
  points: 0,
  title: text("nothing reaches for the machine that grades", "rien n'atteint la machine qui corrige"),
  source: "Il vous sera demandé de construire deux conteneurs communiquant entre eux",
  needs: [],
  async check({ submission, notes }) {
    const note = noteOn(submission);
    if (note !== undefined) notes.safe = note;
    return submission.source.refusals.map(refusalFinding);
  },
};

const MAX_NAMES = 8;
const list = (names: readonly string[]) =>
  names
    .slice(0, MAX_NAMES)
    .map((name) => brief(name))
    .join(", ") + (names.length > MAX_NAMES ? ` … (${names.length})` : "");

/** What of the submission the grader did not use. */
function noteOn({ source: { leftOut, dropped } }: Submission): Text | undefined {
  if (leftOut.size + dropped.size === 0) return undefined;
  const entries = list([...leftOut].map(([path, why]) => `${path || "."} (${why})`));
  const keys = list([...dropped]);
  return text(
    [entries && `not copied: ${entries}`, keys && `keys that the grader left out: ${keys}`].filter(Boolean).join("; "),
    [entries && `non copiés : ${entries}`, keys && `clés ignorées : ${keys}`].filter(Boolean).join(" ; "),
  );
}
