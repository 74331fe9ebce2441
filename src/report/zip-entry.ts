import { inflateRawSync } from 'node:zlib';

/** Bytes of the record that ends a ZIP, without its comment of at most 64 KiB. */
const endBytes = 22;

const signatures = { end: 0x06054b50, central: 0x02014b50, local: 0x04034b50 } as const;

/**
 * The content of one file of a ZIP that anybody may have made. Nothing is written to a disk.
 *
 * Source: PKWARE, APPNOTE.TXT 4.3. ZIP64 and encryption are not supported, which artifacts of this size do not need.
 *
 * @param limit bytes that the content may have when it is decompressed.
 * @throws Error if it is no such ZIP, has no such file, or if the file is larger.
 */
export function zipEntry(zip: Buffer, name: string, limit: number): Buffer {
  try {
    const found = entries(zip).find(entry => entry.name === name);
    if (found === undefined) throw new Error(`it has no file ${name}`);
    const { method, start, size } = found;
    if (zip.readUInt32LE(start) !== signatures.local) throw new Error('its directory is wrong');
    const from = start + 30 + zip.readUInt16LE(start + 26) + zip.readUInt16LE(start + 28);
    if (from + size > zip.length) throw new Error('it is cut off');
    const content = zip.subarray(from, from + size);
    if (method === 8) return inflateRawSync(content, { maxOutputLength: limit });
    if (method === 0 && content.length <= limit) return content;
    throw new Error(method === 0 ? `${name} is larger than ${limit} bytes` : `its compression ${method} is not known`);
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const why = tooLarge ? `${name} is larger than ${limit} bytes` : (error as Error).message;
    throw new Error(`The ZIP cannot be read: ${why}.`, { cause: error });
  }
}

interface Entry {
  name: string;
  /** 0: stored; 8: deflate. */
  method: number;
  /** Where its local header is. */
  start: number;
  /** Bytes in the ZIP. */
  size: number;
}

/** The entries of the central directory: a local header may leave out sizes. */
function entries(zip: Buffer): Entry[] {
  let end = zip.length - endBytes;
  const first = Math.max(0, end - 0xffff);
  while (end >= first && zip.readUInt32LE(end) !== signatures.end) end -= 1;
  if (end < first) throw new Error('it is no ZIP');
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  return Array.from({ length: count }, () => {
    if (zip.readUInt32LE(at) !== signatures.central) throw new Error('its directory is wrong');
    const [nameBytes, extra, comment] = [28, 30, 32].map(offset => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    const entry = {
      name: zip.toString('utf8', at + 46, at + 46 + nameBytes),
      method: zip.readUInt16LE(at + 10),
      size: zip.readUInt32LE(at + 20),
      start: zip.readUInt32LE(at + 42),
    };
    at += 46 + nameBytes + extra + comment;
    return entry;
  });
}
