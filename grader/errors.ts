/** Thrown if a folder cannot be graded at all, because of the folder or of this machine. */
export class Ungradable extends Error {
  override readonly name = "Ungradable";
}
