// A layer's files in the format of tar(5), as POSIX's pax has it.

const BLOCK = 512;
/** Where a header has its fields: the first byte, and the one after the last. */
const FIELD = { mode: [100, 108], size: [124, 136], time: [136, 148], checksum: [148, 156], type: [156, 157] } as const;
type Field = keyof typeof FIELD;

/**
 * Gives all files of a layer one time, in place, and writes their modes in one way: Buildah adds the type of the file.
 * BuildKit's rewrite-timestamp sets times only from 0.13 on, and in some versions also in the layers of the base image
 * (moby/buildkit#4805).
 *
 * @param seconds since 1970
 * @throws {Error} if a file has a size or a time that does not stand in its header
 */
export function normalizeLayer(tar: Uint8Array, seconds: number): void {
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const header = tar.subarray(at, at + BLOCK);
    // Sizes from 8 GiB on are written in another way.
    const size = number(header, "size");
    const content = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (/[gx]/.test(text(header, "type")) && /^\d+ [acm]time=/m.test(new TextDecoder().decode(content)))
      throw new Error(`a time at byte ${at} of a layer that is not in the file's header`);
    write(header, "mode", number(header, "mode") & 0o7777);
    write(header, "time", seconds);
    setChecksum(header);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

/** The sum of a header's bytes, with spaces in place of the sum. */
function setChecksum(header: Uint8Array): void {
  header.fill(0x20, ...FIELD.checksum);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.set(new TextEncoder().encode(`${octal(sum, 6)}\0 `), FIELD.checksum[0]);
}

const text = (header: Uint8Array, field: Field) => new TextDecoder().decode(header.subarray(...FIELD[field]));

function number(header: Uint8Array, field: Field): number {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(text(header, field))?.[1];
  if (digits === undefined) throw new Error(`a ${field} in a layer that is no octal number`);
  return Number.parseInt(digits, 8);
}

function write(header: Uint8Array, field: Field, value: number): void {
  const [first, end] = FIELD[field];
  header.set(new TextEncoder().encode(`${octal(value, end - first - 1)}\0`), first);
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
