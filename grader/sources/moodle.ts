/** What the name of a file or folder in Moodle's export of submissions says. */
export interface MoodleName {
  /** The student's, the group's in front of it if the teacher exported one; of a team its name. */
  readonly name: string;
  /** The number of the participant or the team; students without a team have none. */
  readonly participant: string | undefined;
  /** The kind of what was handed in: `file`, `onlinetext`, or a plugin's. */
  readonly type: string;
  /** The name of the student's own file, in exports without folders; else empty. */
  readonly rest: string;
}

/**
 * `<name>_<number>_assignsubmission_<type>`, then `_` in older versions, or `_<file>` in exports without folders.
 *
 * From Moodle's `mod/assign/classes/downloader.php` (5.x), before that `download_submissions` of
 * `mod/assign/locallib.php`. Underscores of names become spaces there; a group stands in front with a hyphen, and the
 * word for a participant of the teacher's language in place of the name in blind marking.
 */
const NAME = /^(?<name>.+?)(?:_(?<participant>\d+))?_assignsubmission_(?<type>[a-z][a-z0-9]*)(?:_(?<rest>.*))?$/su;

/** Reads a name of Moodle's export; `undefined` if it is none. */
export function parseMoodleName(text: string): MoodleName | undefined {
  const { name, participant, type, rest = "" } = NAME.exec(text)?.groups ?? {};
  if (name === undefined || type === undefined) return undefined;
  return { name: name.trim() || name, participant, type, rest };
}
