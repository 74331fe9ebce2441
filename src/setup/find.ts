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
  /** The CA certificates that it came with; absent if the machine has its own. */
  certificates?: string;
}

/** The oldest supported version: Debian 12's. */
export const oldestNix = '2.8.0';

/** The garbage collector's root of a Nix that `setup/root.sh` installed. */
const ownRoot = '/nix/var/nix/gcroots/nix-ferry';

/**
 * Finds the first Nix, on PATH or where installers put it, that runs and is new enough.
 *
 * @param wanted the version that it must have; null: any.
 * @returns null if there is none; the log says why one was skipped.
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
        context.log.info(`Skipping ${program}: Nix ${version} is older than ${oldestNix}.`);
      } else if (wanted !== null && version !== wanted) {
        context.log.info(`Skipping ${program}: it is Nix ${version}, not ${wanted}.`);
      } else {
        return { bin, version };
      }
    } catch (error) {
      context.log.info(`Skipping ${program}, which does not run: ${explain(error)}`);
    }
  }
  return null;
}

/** The last version number that `nix --version` prints: variants print names and numbers of their own before it. */
export async function nixVersion(context: Context, program: string): Promise<string> {
  const { stdout } = await context.exec(program, ['--version'], { timeout: 20_000 });
  const version = stdout.match(/\d+\.\d+(\.\d+)?/g)?.at(-1);
  if (version === undefined) throw new Error(`\`nix --version\` printed ${stdout.trim()}`);
  return version;
}
