import type { Context } from '../context.ts';
import { exitedWithFailure, UserError } from '../errors.ts';
import { type Nix, parsePathInfo } from '../nix/index.ts';
import type { Archive, Manifest } from './archive.ts';

/** Store paths in one call of Nix. */
const pathsPerCall = 2_000;

/**
 * Brings the whole closure of a verified archive into the local store: what a delta leaves out by Nix from its
 * substituters, then what lies inside. Afterwards the toplevel can be copied on as if it had been built here.
 *
 * @throws UserError when a path that is not in the archive cannot be fetched, or is not the one the manifest names.
 */
export async function importArchive(
  { directory, manifest }: Archive & { manifest: Manifest },
  nix: Nix,
  context: Context,
): Promise<void> {
  const { signal } = context;
  const outside = manifest.paths.filter(path => !path.inside);
  const present = await nix.valid(outside.map(({ path }) => path));
  const absent = outside.map(({ path }) => path).filter(path => !present.has(path));
  try {
    for (const some of inCalls(absent)) await nix.run('nix-store', ['--realise', ...some], { signal });
  } catch (error) {
    if (!exitedWithFailure(error)) throw error;
    throw new UserError(
      `The archive of ${manifest.host} leaves out what a cache has, and that cannot be fetched: ${error.message}`,
      {
        where: { host: manifest.host },
        cure: `It is at ${[...new Set(outside.map(({ cache }) => cache))].join(', ')}; or build with \`archive: full\`.`,
        cause: error,
      },
    );
  }
  for (const some of inCalls(outside)) {
    const { stdout } = await nix.run('nix', ['path-info', '--json', ...some.map(({ path }) => path)]);
    const infos = new Map(parsePathInfo(stdout).map(info => [info.path, info]));
    const other = some.find(({ path, narHash }) => infos.get(path)?.narHash !== narHash);
    if (other === undefined) continue;
    throw new UserError(`${other.path} in the store is not the one that the archive of ${manifest.host} names.`, {
      where: { host: manifest.host },
      cure: 'Nothing was copied. Build with `archive: full`, or let the job that built it run again.',
    });
  }
  const inside = manifest.paths.filter(path => path.inside).map(({ path }) => path);
  if (inside.length === 0) return;
  // A path's references must be there before it, also those in the next call: so in one.
  const args = ['copy', '--no-check-sigs', '--no-recursive', '--from', `file://${directory}`, ...inside];
  await nix.run('nix', args, { signal });
}

function inCalls<T>(paths: readonly T[]): T[][] {
  const calls: T[][] = [];
  for (let first = 0; first < paths.length; first += pathsPerCall) calls.push(paths.slice(first, first + pathsPerCall));
  return calls;
}
