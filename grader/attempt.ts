/** What a function that reads from the file system returns; `undefined` if nothing is there, or it cannot be read. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
