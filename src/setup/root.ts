import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { ExecResult } from '../exec.ts';
import type { SetupRun } from './config.ts';

/** Where sudo and the system's programs are, on NixOS too. */
const systemPath =
  '/run/wrappers/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/** Whether setup/root.sh can find this program. */
export async function hasProgram(name: string): Promise<boolean> {
  const tries = systemPath.split(':').map(directory => access(join(directory, name), constants.X_OK));
  return Promise.any(tries).then(
    () => true,
    () => false,
  );
}

type Verb = 'prepare' | 'users' | 'unpack' | 'package' | 'refresh' | 'daemon' | 'direct' | 'register' | 'end';

/**
 * Runs a verb of setup/root.sh as root: directly, or through `sudo -n`.
 *
 * @param input for secrets and settings, since everyone on the machine can read arguments.
 * @throws UserError if there is no way to become root; CommandError if the verb fails.
 */
export async function asRoot(
  context: Context,
  run: SetupRun,
  verb: Verb,
  args: readonly string[] = [],
  input: string | Promise<string> = '',
): Promise<ExecResult> {
  return asRootOnMachine(context, ['sh', asset('setup/root.sh'), verb, run.directory, ...args], input);
}

/** Runs a command as root: directly, or through `sudo -n`. @throws as `asRoot` */
export async function asRootOnMachine(
  context: Context,
  command: readonly string[],
  input: string | Promise<string> = '',
): Promise<ExecResult> {
  const [program = '', ...args] = command;
  const direct = process.getuid?.() === 0;
  // Not our own environment: it contains inputs, and the daemon would keep it as long as it runs.
  const env = { PATH: systemPath, LC_ALL: 'C' };
  try {
    return direct
      ? await context.exec(program, args, { input, env })
      : await context.exec('sudo', ['-n', ...command], { input, env });
  } catch (error) {
    if (
      !direct &&
      error instanceof CommandError &&
      (error.failure.kind === 'missing' || /^sudo: /m.test(error.stderr))
    ) {
      throw new UserError('Setting up Nix needs root, and `sudo -n` failed.', {
        cure: 'Run the step as root, or allow its user to use sudo without a password.',
        cause: error,
      });
    }
    throw error;
  }
}
