import { basename, join } from 'node:path';
import type { Context } from '../context.ts';
import { exitedWithFailure, explain, UserError } from '../errors.ts';
import { explainNixError } from '../nix/explain.ts';
import type { Run, SetupConfig } from './config.ts';
import { UnreachableError } from './download.ts';
import { type FoundNix, findNix, nixVersion, oldestNix } from './find.ts';
import { fetchRelease, parseVersion, systemCertificates, type WantedVersion } from './release.ts';
import { asRoot, hasProgram } from './root.ts';

/** This machine has not what unpacks a release. */
class UnpackError extends UserError {
  override name = 'UnpackError';
}

/**
 * The Nix of this machine that serves, else a release, else (where no particular one was asked for, and the releases
 * cannot be reached or not be unpacked) the distribution's.
 *
 * @param prepared settles when the run's directories are there.
 * @throws UserError when there is none.
 */
export async function findOrInstall(
  run: Run,
  prepared: Promise<void>,
  config: SetupConfig,
  context: Context,
): Promise<FoundNix> {
  const wanted = parseVersion(config.nixVersion);
  const found = await findNix(config.environment, wanted.version, context);
  if (found !== null) return found;
  if (wanted.systemOnly) {
    throw new UserError(`There is no Nix ${oldestNix} or newer on this machine, and \`nix-version\` is system.`, {
      where: { input: 'nix-version' },
      cure: 'Leave `nix-version` empty, and the step installs Nix.',
    });
  }
  try {
    return await installRelease(run, prepared, wanted, config, context);
  } catch (error) {
    const free = wanted.version === null && config.nixSource === null;
    if (!free || !(error instanceof UnreachableError || error instanceof UnpackError)) throw error;
    await prepared;
    return installPackage(run, config, context, error.message);
  }
}

async function installRelease(
  run: Run,
  prepared: Promise<void>,
  wanted: WantedVersion,
  config: SetupConfig,
  context: Context,
): Promise<FoundNix> {
  for (const program of ['tar', 'xz']) {
    if (await hasProgram(program)) continue;
    throw new UnpackError(`A release of Nix is unpacked with ${program}, which is not on this machine.`, {
      cure: `Install ${program} before the step (Debian and Ubuntu: ${program === 'xz' ? 'xz-utils' : program}), or Nix itself.`,
    });
  }
  const fetched = Promise.all([fetchRelease(wanted, config, context, config.patience), prepared]);
  // Root's part begins beside the download, and waits for the name of what was checked.
  const unpacked = asRoot(
    context,
    run,
    'unpack',
    [],
    fetched.then(([file]) => file),
  ).catch(error => {
    if (!exitedWithFailure(error)) throw error;
    const known = explainNixError(error.stderr);
    throw new UserError(`The release of Nix cannot be unpacked: ${known?.message ?? error.message}.`, {
      cure: known?.cure ?? 'Give another release in `nix-version` or `nix-source`.',
      cause: error,
    });
  });
  const [[tarball], { stdout }] = await Promise.all([fetched, unpacked]);
  const [path = '', certificates = ''] = stdout.trim().split('\n');
  const bin = join(path, 'bin');
  // A release says its version in its name; that it runs, the probe of the sandbox shows.
  const version =
    /^nix-(\d+\.\d+(?:\.\d+)?)-/.exec(basename(tarball))?.[1] ?? (await nixVersion(context, join(bin, 'nix')));
  context.log.info(`Installed Nix ${version} from ${tarball}.`);
  if ((await systemCertificates()) !== null) return { bin, version };
  return { bin, version, certificates: join(certificates, 'etc/ssl/certs/ca-bundle.crt') };
}

/** Installs the distribution's Nix. @throws UserError where there is none, or only one that is too old. */
async function installPackage(run: Run, config: SetupConfig, context: Context, why: string): Promise<FoundNix> {
  const cure = 'Give a mirror or a local tarball in `nix-source`, or install Nix before the step.';
  try {
    await asRoot(context, run, 'package', ['nix-bin']);
  } catch (error) {
    if (!exitedWithFailure(error)) throw error;
    throw new UserError(`${why} Neither can the distribution's nix-bin be installed: ${explain(error)}`, {
      cure,
      cause: error,
    });
  }
  const path = `/usr/bin:${config.environment.PATH ?? ''}`;
  const found = await findNix({ ...config.environment, PATH: path }, null, context);
  if (found === null) throw new UserError(`${why} The distribution's Nix is older than ${oldestNix}.`, { cure });
  context.log.notice(`${why} The distribution's Nix ${found.version} is used instead.`);
  return found;
}
