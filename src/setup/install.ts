import { basename, join } from 'node:path';
import type { Context } from '../context.ts';
import { exitedWithFailure, explain, UserError } from '../errors.ts';
import { explainNixError } from '../nix/explain.ts';
import type { SetupConfig, SetupRun } from './config.ts';
import { UnreachableError } from './download.ts';
import { type FoundNix, findNix, nixVersion, oldestNix } from './find.ts';
import { fetchRelease, parseVersion, systemCertificates, type WantedVersion } from './release.ts';
import { asRoot, hasProgram } from './root.ts';

/** A program that unpacks releases is missing. */
class UnpackError extends UserError {
  override name = 'UnpackError';
}

/**
 * Finds a suitable Nix on this machine, or else installs a release. If no particular one is requested and the releases
 * cannot be reached or unpacked, installs the distribution's Nix.
 *
 * @param prepared settles when the run's directories exist.
 * @throws UserError if none can be installed.
 */
export async function findOrInstall(
  run: SetupRun,
  prepared: Promise<void>,
  config: SetupConfig,
  context: Context,
): Promise<FoundNix> {
  const wanted = parseVersion(config.nixVersion);
  const found = await findNix(config.environment, wanted.version, context);
  if (found !== null) return found;
  if (wanted.systemOnly) {
    throw new UserError(`This machine has no Nix ${oldestNix} or newer, and \`nix-version\` is system.`, {
      where: { input: 'nix-version' },
      cure: 'Leave `nix-version` empty to install Nix.',
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
  run: SetupRun,
  prepared: Promise<void>,
  wanted: WantedVersion,
  config: SetupConfig,
  context: Context,
): Promise<FoundNix> {
  for (const program of ['tar', 'xz']) {
    if (await hasProgram(program)) continue;
    throw new UnpackError(`Unpacking a release of Nix needs ${program}, which is not installed.`, {
      cure: `Before the step, install ${program} (on Debian and Ubuntu: ${program === 'xz' ? 'xz-utils' : program}) or Nix itself.`,
    });
  }
  const fetched = Promise.all([fetchRelease(wanted, config, context, config.patience), prepared]);
  // Root's part starts during the download and waits for the name of the checked file.
  const unpacked = asRoot(
    context,
    run,
    'unpack',
    [],
    fetched.then(([file]) => file),
  ).catch(error => {
    if (!exitedWithFailure(error)) throw error;
    const known = explainNixError(error.stderr);
    throw new UserError(`The release of Nix could not be unpacked: ${known?.message ?? error.message}.`, {
      cure: known?.cure ?? 'Set `nix-version` or `nix-source` to another release.',
      cause: error,
    });
  });
  const [[tarball], { stdout }] = await Promise.all([fetched, unpacked]);
  const [path = '', certificates = ''] = stdout.trim().split('\n');
  const bin = join(path, 'bin');
  // The name of a release contains its version. The probe of the sandbox shows that it runs.
  const version =
    /^nix-(\d+\.\d+(?:\.\d+)?)-/.exec(basename(tarball))?.[1] ?? (await nixVersion(context, join(bin, 'nix')));
  context.log.info(`Installed Nix ${version} from ${tarball}.`);
  if ((await systemCertificates()) !== null) return { bin, version };
  return { bin, version, certificates: join(certificates, 'etc/ssl/certs/ca-bundle.crt') };
}

/** Installs the distribution's Nix. @throws UserError if there is none or it is too old */
async function installPackage(run: SetupRun, config: SetupConfig, context: Context, why: string): Promise<FoundNix> {
  const cure = 'Set `nix-source` to a mirror or a local tarball, or install Nix before the step.';
  try {
    await asRoot(context, run, 'package', ['nix-bin']);
  } catch (error) {
    if (!exitedWithFailure(error)) throw error;
    throw new UserError(`${why} The distribution's nix-bin could not be installed either: ${explain(error)}`, {
      cure,
      cause: error,
    });
  }
  const path = `/usr/bin:${config.environment.PATH ?? ''}`;
  const found = await findNix({ ...config.environment, PATH: path }, null, context);
  if (found === null) throw new UserError(`${why} The distribution's Nix is older than ${oldestNix}.`, { cure });
  context.log.notice(`${why} Using the distribution's Nix ${found.version} instead.`);
  return found;
}
