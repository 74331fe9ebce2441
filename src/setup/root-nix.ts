import { join } from 'node:path';
import type { Context } from '../context.ts';
import { exitedWithFailure } from '../errors.ts';
import { Nix } from '../nix/index.ts';
import { variables } from './daemon.ts';
import type { Setup } from './index.ts';
import { asRoot, asRootOnMachine } from './root.ts';

/**
 * Runs `nix` as root, for what the daemon allows only users whom it trusts: importing paths. The user itself is never made
 * trusted, since builds and evaluation run as this user too.
 *
 * @throws CommandError if Nix fails; UserError if there is no way to become root.
 */
export async function nixAsRoot(
  { run, found, config, nix: installation }: Setup,
  args: readonly string[],
  context: Context,
): Promise<void> {
  const command = [join(found.bin, 'nix'), ...args, '--extra-experimental-features', 'nix-command flakes'];
  if (run !== null) {
    await asRoot(context, run, 'direct', command, variables(run, found, config.environment));
    return;
  }
  try {
    // In the machine's own store, which may belong to this user.
    await new Nix(context, installation).run('nix', args, { signal: context.signal });
  } catch (error) {
    if (!exitedWithFailure(error) || !/lacks a (valid )?signature|not (a )?trusted/.test(error.stderr)) throw error;
    await asRootOnMachine(context, command);
  }
}
