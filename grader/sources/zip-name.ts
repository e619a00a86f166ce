import { type Entry, getFileNameLowLevel } from "yauzl";
import { attempt } from "../attempt.ts";

const UNICODE_PATH = 0x7075;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The name of a zip entry, with `/` between its parts.
 *
 * Without the flag for UTF-8 the specification has CP437 (PKWARE's APPNOTE, appendix D), but macOS writes UTF-8 without
 * it. A text of another encoding is hardly ever valid UTF-8 by chance. Backslashes, which the specification forbids
 * (4.4.17), come from old programs of Windows, as separators.
 */
export function nameOf({ fileNameRaw, extraFields }: Entry): string {
  const otherwise = () => getFileNameLowLevel(0, fileNameRaw, extraFields, false);
  // Info-ZIP's own field for the name in UTF-8, beside one in the encoding of the machine.
  if (extraFields.some(({ id }) => id === UNICODE_PATH)) return otherwise();
  return (attempt(() => utf8.decode(fileNameRaw)) ?? otherwise()).replaceAll("\\", "/");
}
