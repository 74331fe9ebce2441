import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import { explain } from '../errors.ts';
import { compareVersions } from '../nix/version.ts';
import type { SetupConfig } from './config.ts';

/** A Nix on this machine. */
export interface FoundNix {
  /** The directory of its programs. */
  bin: string;
  version: string;
  /** The certificates it came with, where the machine has none. */
  certificates?: string;
}

/** The oldest Nix that everything here works with: Debian 12's. */
export const oldestNix = '2.8.0';

/** Where `setup/root.sh` roots a Nix that it installed. */
const ownRoot = '/nix/var/nix/gcroots/nix-ferry';

/**
 * The first Nix on PATH or in a place where installers put it that runs, is new enough, and is of version `wanted`
 * where one is. Null when there is none; the log says why one was passed over.
 */
export async function findNix(
  environment: SetupConfig['environment'],
  wanted: string | null,
  context: Context,
): Promise<FoundNix | null> {
  const directories = [
    ...(environment.PATH ?? '').split(':').filter(directory => directory.startsWith('/')),
    '/nix/var/nix/profiles/default/bin',
    ...(environment.HOME === undefined ? [] : [join(environment.HOME, '.nix-profile/bin')]),
    '/run/current-system/sw/bin',
    join(ownRoot, 'bin'),
  ];
  for (const bin of new Set(directories)) {
    const program = join(bin, 'nix');
    try {
      await access(program, constants.X_OK);
    } catch {
      continue;
    }
    try {
      const version = await nixVersion(context, program);
      if (compareVersions(version, oldestNix) < 0) {
        context.log.info(`${program} is Nix ${version}, older than ${oldestNix}: not used.`);
      } else if (wanted !== null && version !== wanted) {
        context.log.info(`${program} is Nix ${version}, not ${wanted}: not used.`);
      } else {
        return { bin, version };
      }
    } catch (error) {
      context.log.info(`${program} does not run and is not used: ${explain(error)}`);
    }
  }
  return null;
}

/** What `nix --version` says: the last version number in it, as variants put words and numbers of their own before. */
export async function nixVersion(context: Context, program: string): Promise<string> {
  const { stdout } = await context.exec(program, ['--version'], { timeout: 20_000 });
  const version = stdout.match(/\d+\.\d+(\.\d+)?/g)?.at(-1);
  if (version === undefined) throw new Error(`\`nix --version\` says ${stdout.trim()}`);
  return version;
}
