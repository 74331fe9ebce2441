import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { probeProgram } from './probe-program.ts';

/** Where the kernel tells of its interpreters; empty where binfmt_misc is not mounted. */
export const binfmtDirectory = '/proc/sys/fs/binfmt_misc';

/** An interpreter that the kernel knows: Documentation/admin-guide/binfmt-misc.rst. */
export interface Registration {
  name: string;
  enabled: boolean;
  interpreter: string;
  flags: string;
  offset: number;
  magic: Buffer;
  mask: Buffer;
}

/** Reads the file of one entry; null for one that goes by a file name's ending. */
export function parseRegistration(name: string, text: string): Registration | null {
  const field = (key: string): string => new RegExp(`^${key}:? ?(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  const magic = Buffer.from(field('magic'), 'hex');
  if (magic.length === 0) return null;
  const mask = field('mask') === '' ? Buffer.alloc(magic.length, 0xff) : Buffer.from(field('mask'), 'hex');
  return {
    name,
    enabled: /^enabled$/m.test(text),
    interpreter: field('interpreter'),
    flags: field('flags'),
    offset: Number(field('offset')),
    magic,
    mask,
  };
}

/** Whether programs that begin with `head` go to this interpreter. */
export function takes(registration: Registration, head: Buffer): boolean {
  const { enabled, offset, magic, mask } = registration;
  return (
    enabled && magic.every((byte, i) => ((head[offset + i] ?? 0) & (mask[i] ?? 0xff)) === (byte & (mask[i] ?? 0xff)))
  );
}

/** The entries that take the programs of `system`; those that serve a sandboxed build carry the flag F. */
export async function registrationsOf(system: string): Promise<Registration[]> {
  const head = probeProgram(system);
  if (head === null) return [];
  const names = await readdir(binfmtDirectory).catch(() => []);
  const entries = await Promise.all(
    names
      .filter(name => name !== 'register' && name !== 'status')
      .map(async name =>
        parseRegistration(name, await readFile(join(binfmtDirectory, name), 'latin1').catch(() => '')),
      ),
  );
  return entries.filter((entry): entry is Registration => entry !== null && takes(entry, head));
}

/**
 * The line that registers `qemu` for the programs of `system`.
 *
 * Magic and mask as Debian's and NixOS's: an ELF header of that class and processor, any OS ABI, an executable or a
 * position-independent one. F: the kernel opens the interpreter now, so that it is there in every sandbox. P: the
 * program's own argv[0] is kept, which qemu understands since 6.0 on kernels since 5.12.
 */
export function registrationLine(name: string, system: string, qemu: string): string {
  const head = probeProgram(system);
  if (head === null) throw new Error(`no magic for ${system}`);
  const escaped = (bytes: Uint8Array): string =>
    [...bytes].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const magic = Buffer.from(head.subarray(0, 20));
  const mask = Buffer.alloc(20, 0xff);
  mask[7] = 0;
  mask[16] = 0xfe;
  return `:${name}:M::${escaped(magic)}:${escaped(mask)}:${qemu}:PF`;
}
