import { crc32, deflateRawSync } from "node:zlib";

/** What a zip archive says of a file; what is left out is as an honest archive has it. */
export interface ZipFile {
  readonly name: string | Uint8Array;
  readonly content?: string | Uint8Array;
  /** Already deflated content, and the size and checksum that are stated of it. */
  readonly deflated?: { readonly bytes: Uint8Array; readonly size: number; readonly crc: number };
  readonly isDeflated?: boolean;
  /** The Unix mode with its type; else the archive is made on Windows. */
  readonly mode?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** Where the local header is; else it is written. */
  readonly offset?: number;
}

const UTF8_FLAG = 0x800;

/** Writes a zip archive as it is told, honest or not (PKWARE's APPNOTE 4.3). */
export function zipOf(files: readonly ZipFile[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let position = 0;
  for (const file of files) {
    const { name, content = "", mode, isDeflated = false, flags = UTF8_FLAG } = file;
    const path = Buffer.from(name as string);
    const plain = Buffer.from(content as string);
    const data = file.deflated?.bytes ?? (isDeflated ? deflateRawSync(plain) : plain);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(isDeflated || file.deflated !== undefined ? 8 : 0, 4);
    fields.writeUInt32LE(file.crc ?? file.deflated?.crc ?? crc32(plain), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(file.deflated?.size ?? plain.length, 18);
    fields.writeUInt16LE(path.length, 22);
    const attributes = Buffer.alloc(14);
    attributes.writeUInt32LE(((mode ?? 0) << 16) >>> 0, 6);
    attributes.writeUInt32LE(file.offset ?? position, 10);
    const madeBy = Buffer.from([20, mode === undefined ? 0 : 3]);
    centrals.push(Buffer.concat([Buffer.from("PK\x01\x02"), madeBy, fields, attributes, path]));
    if (file.offset !== undefined) continue;
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, path, data]);
    locals.push(local);
    position += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(files.length & 0xffff, 8);
  end.writeUInt16LE(files.length & 0xffff, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(position, 16);
  if (files.length <= 0xffff) return Buffer.concat([...locals, directory, end]);
  const end64 = Buffer.alloc(56 + 20);
  end64.write("PK\x06\x06");
  end64.writeBigUInt64LE(44n, 4);
  end64.writeBigUInt64LE(BigInt(files.length), 24);
  end64.writeBigUInt64LE(BigInt(files.length), 32);
  end64.writeBigUInt64LE(BigInt(directory.length), 40);
  end64.writeBigUInt64LE(BigInt(position), 48);
  end64.write("PK\x06\x07", 56);
  end64.writeBigUInt64LE(BigInt(position + directory.length), 64);
  end64.writeUInt32LE(1, 72);
  return Buffer.concat([...locals, directory, end64, end]);
}

/** An entry of a tar archive. */
export interface TarFile {
  readonly name: string;
  readonly content?: string;
  /** `0` a file, `1` a hard link, `2` a symbolic link, `3` a device, `5` a folder, `6` a pipe. */
  readonly type?: string;
  readonly target?: string;
  readonly mode?: number;
}

const BLOCK = 512;

/** Writes a tar archive as it is told, honest or not (the ustar format of POSIX's pax(1)). */
export function tarOf(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(({ name, content = "", type = "0", target = "", mode = 0o644 }) => {
    const data = Buffer.from(content);
    const header = Buffer.alloc(BLOCK);
    header.write(name, 0, 100);
    for (const [value, at, length] of [
      [mode, 100, 7],
      [0, 108, 7],
      [0, 116, 7],
      [data.length, 124, 11],
      [0, 136, 11],
    ] as const) {
      header.write(value.toString(8).padStart(length, "0"), at);
    }
    header.write(" ".repeat(8), 148);
    header.write(type, 156);
    header.write(target, 157, 100);
    header.write("ustar\x0000", 257, "latin1");
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
