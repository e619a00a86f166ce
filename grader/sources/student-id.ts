const MAX_BYTES = 100;

/** A name as a file name on any system: letters and digits of all scripts, `.`, `_` and `-`; at most 100 bytes. */
export function idOf(name: string, suffix = ""): string {
  const characters = name.normalize("NFC").replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "-");
  const clean = characters.replace(/^[.-]+|-+$/g, "") || "submission";
  return cut(clean, MAX_BYTES - Buffer.byteLength(suffix)) + suffix;
}

/** Cuts a text at a character, not in it. */
function cut(text: string, bytes: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(bytes));
  return text.slice(0, read);
}

/** Gives out ids that differ also where upper and lower case are the same: `name`, `name-2`, `name-3`. */
export class Ids {
  readonly #taken = new Set<string>();

  /** @param suffix what stays whole at the end of the id */
  next(name: string, suffix = ""): string {
    for (let count = 1; ; count++) {
      const id = idOf(name, count === 1 ? suffix : `${suffix}-${count}`);
      const folded = id.toUpperCase().toLowerCase().normalize("NFC");
      if (this.#taken.has(folded)) continue;
      this.#taken.add(folded);
      return id;
    }
  }
}
