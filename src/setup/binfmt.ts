import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { probeProgram } from './probe-program.ts';

/** Where the kernel lists its interpreters; empty if binfmt_misc is not mounted. */
export const binfmtDirectory = '/proc/sys/fs/binfmt_misc';

/** A registered interpreter: Linux's Documentation/admin-guide/binfmt-misc.rst. */
export interface Registration {
  name: string;
  enabled: boolean;
  interpreter: string;
  flags: string;
  offset: number;
  magic: Buffer;
  mask: Buffer;
}

/** Reads the file of one registration; null if it matches by a file name's extension. */
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

/** Whether this interpreter runs programs that start with `head`. */
export function takes(registration: Registration, head: Buffer): boolean {
  const { enabled, offset, magic, mask } = registration;
  return (
    enabled && magic.every((byte, i) => ((head[offset + i] ?? 0) & (mask[i] ?? 0xff)) === (byte & (mask[i] ?? 0xff)))
  );
}

/** The registrations that match programs of `system`. Only those with the flag F work in a sandbox. */
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
 * The line that registers `qemu` for programs of `system`.
 *
 * Magic and mask match, as Debian's and NixOS's do, an ELF header of that class and processor, with any OS ABI, of an
 * executable or position-independent executable. With the flag F the kernel opens the interpreter now, so that it works in
 * every sandbox. With P the program keeps its own argv[0], which qemu supports since 6.0 on Linux 5.12 and newer.
 */
export function registrationLine(name: string, system: string, qemu: string): string {
  const head = probeProgram(system);
  if (head === null) throw new Error(`there is no magic for ${system}`);
  const escaped = (bytes: Uint8Array): string =>
    [...bytes].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  const magic = Buffer.from(head.subarray(0, 20));
  const mask = Buffer.alloc(20, 0xff);
  mask[7] = 0;
  mask[16] = 0xfe;
  return `:${name}:M::${escaped(magic)}:${escaped(mask)}:${qemu}:PF`;
}
