/** Where the fields of a 64-bit ELF file lie, as elf(5) says. All numbers are little-endian. */
const HEADER = { sections: 0x28, size: 0x3a, count: 0x3c, names: 0x3e } as const;
const SECTION = { name: 0, offset: 0x18, size: 0x20 } as const;

/** The section in which an executable of `bun build --compile` has the bundle, with its bytecode and source map. */
const BUNDLE = ".bun";

/**
 * The bundle in an executable that Bun has compiled for Linux.
 *
 * @throws {Error} if there is none
 */
export function bundleIn(executable: Buffer): Buffer {
  // 0x7f "ELF", 64 bits, little-endian.
  if (executable.toString("latin1", 0, 6) !== "\x7fELF\x02\x01") throw new Error("not an executable for 64-bit Linux");
  const table = Number(executable.readBigUInt64LE(HEADER.sections));
  const size = executable.readUInt16LE(HEADER.size);
  const header = (index: number) => executable.subarray(table + index * size, table + (index + 1) * size);
  const content = (section: Buffer) => {
    const offset = Number(section.readBigUInt64LE(SECTION.offset));
    return executable.subarray(offset, offset + Number(section.readBigUInt64LE(SECTION.size)));
  };
  const names = content(header(executable.readUInt16LE(HEADER.names)));
  for (let index = 0; index < executable.readUInt16LE(HEADER.count); index += 1) {
    const start = header(index).readUInt32LE(SECTION.name);
    if (names.toString("latin1", start, names.indexOf(0, start)) === BUNDLE) return content(header(index));
  }
  throw new Error(`an executable without the section ${BUNDLE}: not compiled by Bun`);
}
