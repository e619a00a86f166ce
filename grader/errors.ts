/** A folder, or a machine, with which no grading is possible at all. */
export class Ungradable extends Error {
  override readonly name = "Ungradable";
}
