import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { ExecResult } from '../exec.ts';
import type { Run } from './config.ts';

/** Where sudo and the system's own programs are, on NixOS too. */
const systemPath =
  '/run/wrappers/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin';

/** Whether setup/root.sh would find this program. */
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
 * @param input for secrets and settings; arguments are seen by everybody on the machine.
 * @throws UserError when there is no way to root; CommandError when the verb fails.
 */
export async function asRoot(
  context: Context,
  run: Run,
  verb: Verb,
  args: readonly string[] = [],
  input: string | Promise<string> = '',
): Promise<ExecResult> {
  const script = ['sh', asset('setup/root.sh'), verb, run.directory, ...args];
  const direct = process.getuid?.() === 0;
  // Not the caller's environment: it holds inputs, and a daemon would keep it for as long as it lives.
  const env = { PATH: systemPath, LC_ALL: 'C' };
  try {
    return direct
      ? await context.exec('sh', script.slice(1), { input, env })
      : await context.exec('sudo', ['-n', ...script], { input, env });
  } catch (error) {
    if (
      !direct &&
      error instanceof CommandError &&
      (error.failure.kind === 'missing' || /^sudo: /m.test(error.stderr))
    ) {
      throw new UserError('Setting Nix up needs root, and `sudo -n` does not give it.', {
        cure: 'Run the step as root, or let its user call sudo without a password.',
        cause: error,
      });
    }
    throw error;
  }
}
