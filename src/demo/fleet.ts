import { cp, mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';

/** The systems of the embedded fleet's hosts, by host. */
export const systems = { router: 'aarch64-linux', server: 'x86_64-linux' } as const;

/**
 * Copies the embedded fleet into a Git repository of its own, with the busyboxes that build it committed there: a flake
 * sees only what Git tracks.
 *
 * @param directory does not exist yet.
 * @param cache kept between runs; the busyboxes are fetched into it from the distribution once.
 * @returns the busybox of each host's processor.
 * @throws UserError when the distribution's packages cannot be had.
 */
export async function copyFleet(directory: string, cache: string, context: Context): Promise<Map<string, string>> {
  const { signal } = context;
  const embedded = dirname(asset('examples/embedded/flake.nix'));
  const bootstrap = join(cache, 'bootstrap');
  await fetchParts(['fetch-bootstrap.sh', bootstrap, ...Object.values(systems)], context);
  await mkdir(directory, { recursive: true });
  await cp(embedded, directory, { recursive: true });
  await cp(bootstrap, join(directory, 'nixpkgs', 'bootstrap'), { recursive: true });
  // The user's own Git settings (signing, hooks, ignored files) have no part in it.
  const env = { ...context.environment, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: string[]): Promise<unknown> => context.exec('git', ['-C', directory, ...args], { env, signal });
  await git('init', '--quiet');
  await git('add', '--all', '--force');
  const author = ['-c', 'user.name=Nix Ferry demo', '-c', 'user.email=demo@localhost'];
  await git(...author, 'commit', '--quiet', '--message', 'The embedded fleet');
  return new Map(Object.entries(systems).map(([host, system]) => [host, join(bootstrap, system, 'busybox')]));
}

/** Where sshd and what it needs lies unpacked, fetched once; null where the machine has it. */
export async function sshdPackages(cache: string, present: boolean, context: Context): Promise<string | null> {
  if (present) return null;
  const directory = join(cache, `sshd-${await distribution()}`);
  await fetchParts(['fetch-sshd.sh', directory], context);
  return directory;
}

/** Runs a script that fetches packages of the distribution. @throws UserError with what it said */
async function fetchParts([script = '', ...args]: string[], context: Context): Promise<void> {
  try {
    await context.exec('sh', [asset(`examples/embedded/${script}`), ...args], { signal: context.signal });
  } catch (error) {
    if (!(error instanceof CommandError) || context.signal.aborted) throw error;
    throw new UserError(`A part of the demo cannot be fetched: ${error.stderr.trim()}`, { cause: error });
  }
}

/** As `debian-12`: what was unpacked for one release does not fit the libraries of the next. */
async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string): string => new RegExp(`^${name}="?([\\w.-]+)"?$`, 'm').exec(text)?.[1] ?? 'unknown';
  return `${field('ID')}-${field('VERSION_ID')}`;
}
