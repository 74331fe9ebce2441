import type { Context } from '../context.ts';
import { CommandError, explain, UserError } from '../errors.ts';
import type { Run, SetupConfig } from './config.ts';
import { type FoundNix, findNix, oldestNix } from './find.ts';
import { asRoot } from './root.ts';

/** Installs the distribution's Nix. @throws UserError where there is none, or only one that is too old. */
export async function installPackage(run: Run, config: SetupConfig, context: Context, why: string): Promise<FoundNix> {
  try {
    await asRoot(context, run, 'package', ['nix-bin']);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new UserError(`${why} The distribution's package nix-bin cannot be installed either: ${explain(error)}`, {
      cure: 'Give a mirror or a local tarball in `nix-source`, or install Nix before the step.',
      cause: error,
    });
  }
  const found = await findNix(
    { ...config.environment, PATH: `/usr/bin:${config.environment.PATH ?? ''}` },
    null,
    context,
  );
  if (found === null) {
    throw new UserError(`${why} The distribution's Nix is older than ${oldestNix}.`, {
      cure: 'Give a mirror or a local tarball in `nix-source`, or install Nix before the step.',
    });
  }
  context.log.notice(`${why} Nix ${found.version} of the distribution is used instead.`);
  return found;
}
