import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';

/** The system of each host of the embedded fleet. */
export const systems = { router: 'aarch64-linux', server: 'x86_64-linux' } as const;

/**
 * Copies the embedded fleet into a new Git repository. The busyboxes that build it are committed too, because a flake sees
 * only what Git tracks.
 *
 * @param directory does not exist yet.
 * @param cache kept between runs; the busyboxes are downloaded into it from the distribution once.
 * @returns the path of a busybox for each host.
 * @throws UserError if the distribution's packages cannot be downloaded.
 */
export async function copyFleet(directory: string, cache: string, context: Context): Promise<Map<string, string>> {
  const { signal } = context;
  const embedded = dirname(asset('examples/embedded/flake.nix'));
  const bootstrap = join(cache, 'bootstrap');
  await fetchParts(['fetch-bootstrap.sh', bootstrap, ...Object.values(systems)], context);
  await mkdir(directory, { recursive: true });
  await cp(embedded, directory, { recursive: true });
  await cp(bootstrap, join(directory, 'nixpkgs', 'bootstrap'), { recursive: true });
  // Without the user's Git settings (signing, hooks, ignored files).
  const env = { ...context.environment, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: string[]): Promise<unknown> => context.exec('git', ['-C', directory, ...args], { env, signal });
  await git('init', '--quiet');
  await git('add', '--all', '--force');
  const author = ['-c', 'user.name=Nix Ferry demo', '-c', 'user.email=demo@localhost'];
  await git(...author, 'commit', '--quiet', '--message', 'The embedded fleet');
  return new Map(Object.entries(systems).map(([host, system]) => [host, join(bootstrap, system, 'busybox')]));
}

/** The directory with sshd and its libraries, downloaded once; null if the machine has sshd. */
export async function sshdPackages(cache: string, present: boolean, context: Context): Promise<string | null> {
  if (present) return null;
  const directory = join(cache, `sshd-${await distribution()}`);
  await fetchParts(['fetch-sshd.sh', directory], context);
  return directory;
}

/** Runs a script that downloads packages of the distribution. @throws UserError with what the script printed */
async function fetchParts([script = '', ...args]: string[], context: Context): Promise<void> {
  try {
    await context.exec('sh', [asset(`examples/embedded/${script}`), ...args], { signal: context.signal });
  } catch (error) {
    if (!(error instanceof CommandError) || context.signal.aborted) throw error;
    throw new UserError(`A part of the demo could not be downloaded: ${error.stderr.trim()}`, { cause: error });
  }
}

/** Such as `debian-12`: packages of one release do not work with the libraries of another. */
async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string): string => new RegExp(`^${name}="?([\\w.-]+)"?$`, 'm').exec(text)?.[1] ?? 'unknown';
  return `${field('ID')}-${field('VERSION_ID')}`;
}
