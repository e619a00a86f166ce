import { closeSync, constants, openSync, readSync } from "node:fs";

/**
 * The first bytes of a file; all of one that is shorter. A pipe is not waited for.
 *
 * @param flags for open(2), beside reading
 * @throws {Error} if it cannot be read
 */
export function beginningOf(file: string, bytes: number, flags = 0): Buffer {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | flags);
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, readSync(descriptor, buffer, 0, bytes, 0));
  } finally {
    closeSync(descriptor);
  }
}
