import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, chmod, copyFile, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { SetupRun } from './config.ts';
import { download } from './download.ts';
import { asRoot } from './root.ts';

/** qemu's name for the processor of a system; null if the system is not Linux. */
export function qemuName(system: string): string | null {
  const processor = system.replace(/-linux$/, '');
  if (processor === system) return null;
  return { armv7l: 'arm', armv6l: 'arm', i686: 'i386' }[processor] ?? processor;
}

/**
 * A static qemu for `system`: the machine's own, or else the one in the distribution's package, which is extracted and not
 * installed (its scripts would register every processor that qemu supports, permanently).
 *
 * @returns its path, and a description of its origin.
 * @throws UserError if there is none.
 */
export async function findQemu(
  system: string,
  run: SetupRun,
  context: Context,
): Promise<{ path: string; from: string }> {
  const name = qemuName(system);
  if (name === null) throw new UserError(`${system} cannot be emulated.`);
  for (const path of [`/usr/bin/qemu-${name}-static`, `/usr/bin/qemu-${name}`]) {
    if (await isStatic(path)) return { path, from: path };
  }
  // Since Debian 13 and Ubuntu 25.04, the static programs are in qemu-user.
  for (const packaged of ['qemu-user-static', 'qemu-user']) {
    const path = await fromPackage(packaged, name, run, context);
    if (path !== null) return { path, from: `the distribution's ${packaged}` };
  }
  throw new UserError(`There is no static qemu for ${system} on this machine or in its distribution.`, {
    cure: 'Install qemu-user-static before the step, or run the job on a machine of that system.',
  });
}

/** The qemu that the input names, checked. @throws UserError */
export async function givenQemu(
  { source, sha256 }: { source: string; sha256: string },
  context: Context,
): Promise<{ path: string; from: string }> {
  const path = join(context.scratch, `qemu-${sha256.slice(0, 16)}`);
  // It was checked for another system before; a registered program cannot be written.
  if (await isStatic(path)) return { path, from: source };
  if (/^https?:/.test(source)) {
    await download(source, path, sha256, context);
  } else {
    await copyFile(source, path).catch(cause => {
      throw new UserError(`The qemu in \`qemu\` cannot be read: ${cause.message}`, { where: { input: 'qemu' }, cause });
    });
    const hash = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    if (hash !== sha256) {
      throw new UserError(`${source} is not used: its SHA-256 is ${hash}, not ${sha256}.`, {
        where: { input: 'qemu' },
      });
    }
  }
  await chmod(path, 0o755);
  if (!(await isStatic(path))) {
    throw new UserError(`${source} is not a static program and would not run in a sandbox.`, {
      where: { input: 'qemu' },
    });
  }
  return { path, from: source };
}

async function fromPackage(packaged: string, name: string, run: SetupRun, context: Context): Promise<string | null> {
  const directory = join(context.scratch, packaged);
  const fetch = `mkdir -p "$1" && cd "$1" && apt-get -qq download "$2"`;
  const download = (): Promise<unknown> => context.exec('sh', ['-c', fetch, 'sh', directory, packaged]);
  const programs = [`${directory}/usr/bin/qemu-${name}-static`, `${directory}/usr/bin/qemu-${name}`];
  // It may already have been extracted for another system.
  for (const path of programs) if (await isStatic(path)) return path;
  const unpack = 'cd "$1" && for each in *.deb; do dpkg-deb --extract "$each" . && rm "$each"; done';
  try {
    await download().catch(async () => {
      await asRoot(context, run, 'refresh');
      await download();
    });
    await context.exec('sh', ['-c', unpack, 'sh', directory]);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    context.log.debug(`${packaged}: ${error.message}`);
    return null;
  }
  for (const path of programs) if (await isStatic(path)) return path;
  return null;
}

/** Whether it is an ELF program without an interpreter, which is the only kind that runs in a sandbox. */
export async function isStatic(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
  } catch {
    return false;
  }
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
    const head = buffer.subarray(0, bytesRead);
    if (bytesRead < 64 || head.toString('latin1', 0, 4) !== '\x7fELF' || head[4] !== 2) return false;
    const [at, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
    const interpreter = 3; // PT_INTERP
    for (let i = 0; i < count; i++) {
      const segment = at + i * size;
      if (segment + 4 > bytesRead || head.readUInt32LE(segment) === interpreter) return false;
    }
    return true;
  } finally {
    await file.close();
  }
}
