import { Ungradable } from "../errors.ts";
import { printable } from "../text.ts";

/** Thrown while an archive is unpacked; the message says what is wrong with it, without its name. */
export class Refused extends Error {
  override readonly name = "Refused";
}

const MAX_REASON_CHARACTERS = 300;
const TOO_LONG = "it has a name that is too long for this machine";
/** What goes wrong on the machine, whatever the archive: it may be free again later. */
const NO_SPACE = new Set(["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"]);

/**
 * What the teacher reads of an error of unpacking: one line.
 *
 * @param name the archive's
 */
export function ungradable(name: string, error: unknown): Ungradable {
  if (error instanceof Ungradable) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (NO_SPACE.has(code)) return new Ungradable(`${printable(name)}: no space left on the device`, true);
  const reason = error instanceof Refused ? message : code === "ENAMETOOLONG" ? TOO_LONG : `it is damaged (${message})`;
  return new Ungradable(printable(`${name}: ${reason}`).slice(0, MAX_REASON_CHARACTERS));
}
