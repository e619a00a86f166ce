/** A folder, or a machine, with which no grading is possible at all. */
export class Ungradable extends Error {
  override readonly name = "Ungradable";
}

/** A command of Docker that failed where it must not. */
export class DockerError extends Error {
  override readonly name = "DockerError";
}
