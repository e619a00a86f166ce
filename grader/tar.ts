/** The tar format's unit, in bytes. */
const BLOCK = 512;

/** An archive in the ustar format of POSIX that contains one executable file. */
export function tarOf(path: string, content: Uint8Array): Uint8Array {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  header.write(path, 0);
  header.write(octal(0o755, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136);
  // The checksum is made with blanks in its place.
  header.write(" ".repeat(8), 148);
  header.write("0", 156);
  header.write("ustar\0" + "00", 257);
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte),
      6,
    ),
    148,
  );
  header.write("\0", 154);
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  // Two blocks of zeros are the end.
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK)]);
}
