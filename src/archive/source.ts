import { cp, lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import type { Nix } from '../nix/index.ts';
import type { Pin } from '../plan/fleet.ts';
import { repositoryOf } from '../plan/index.ts';

/**
 * Adds the configuration to the store, so that archives can include it.
 *
 * Of a repository, only the files that Git tracks are added, with the content that they have in the folder; of any other
 * folder, everything. An untracked file may be a secret, and everyone can read the store.
 *
 * @param folder absolute.
 * @returns its store path, named `configuration`.
 */
export async function addConfiguration(folder: string, nix: Nix, context: Context): Promise<string> {
  const scratch = await mkdtemp(join(context.scratch, 'source-'));
  const copy = join(scratch, 'configuration');
  try {
    const tracked = await trackedFiles(folder, context);
    if (tracked === null) await cp(folder, copy, { recursive: true, verbatimSymlinks: true });
    else {
      await mkdir(copy);
      await mapConcurrently(tracked, 16, async name => {
        // Git also lists files that were deleted here, and submodules, which are folders.
        const status = await lstat(join(folder, name)).catch(() => null);
        if (status === null || status.isDirectory()) return;
        await mkdir(dirname(join(copy, name)), { recursive: true });
        await cp(join(folder, name), join(copy, name), { verbatimSymlinks: true });
      });
    }
    return (await nix.run('nix-store', ['--add', copy])).stdout.trim();
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Paths relative to `folder`; null outside of a repository. @throws if Git cannot list them: others may be secrets */
async function trackedFiles(folder: string, context: Context): Promise<string[] | null> {
  if ((await repositoryOf(folder, context)) === null) return null;
  const { stdout } = await context.query('git', ['-C', folder, 'ls-files', '-z']);
  return stdout.split('\0').filter(name => name !== '');
}

/** The store path of a pinned nixpkgs, as flakes and fetchTarball name it; null if it is not in the store. */
export async function nixpkgsOf(pin: Pin | null, nix: Nix): Promise<string | null> {
  if (pin?.narHash == null) return null;
  const args = ['--print-fixed-path', '--recursive', 'sha256', pin.narHash, 'source'];
  const path = (await nix.run('nix-store', args)).stdout.trim();
  return (await nix.valid([path])).has(path) ? path : null;
}
