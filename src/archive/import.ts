import type { Context } from '../context.ts';
import { exitedWithFailure, UserError } from '../errors.ts';
import { inParts } from '../nix/arguments.ts';
import { type Nix, parsePathInfo } from '../nix/index.ts';
import type { Archive, Manifest } from './archive.ts';

/** Runs `nix` with the rights to import paths. @throws CommandError */
export type ImportingNix = (args: readonly string[]) => Promise<unknown>;

/**
 * Imports the whole closure of a verified archive into the local store: Nix fetches what a delta leaves out from its
 * substituters, then imports what is in the archive. Afterwards the toplevel can be copied as if it had been built here.
 *
 * @param trustedKeys one of them must have signed each path inside; empty: no signatures are required.
 * @throws UserError if a path that is not in the archive cannot be fetched, or differs from the one in the manifest.
 */
export async function importArchive(
  { directory, manifest }: Archive & { manifest: Manifest },
  trustedKeys: readonly string[],
  nix: Nix,
  importing: ImportingNix,
  context: Context,
): Promise<void> {
  const { signal } = context;
  const outside = manifest.paths.filter(path => !path.inside);
  const present = await nix.valid(outside.map(({ path }) => path));
  const absent = outside.map(({ path }) => path).filter(path => !present.has(path));
  try {
    for (const some of inParts(absent)) await nix.run('nix-store', ['--realise', ...some], { signal });
  } catch (error) {
    if (!exitedWithFailure(error)) throw error;
    throw new UserError(
      `The archive of ${manifest.host} leaves out paths that a cache has, and they could not be fetched: ${error.message}`,
      {
        where: { host: manifest.host },
        cure: `They are in ${[...new Set(outside.map(({ cache }) => cache))].join(', ')}. Check that cache, or build with \`archive: full\`.`,
        cause: error,
      },
    );
  }
  for (const some of inParts(outside)) {
    const { stdout } = await nix.run('nix', ['path-info', '--json', ...some.map(({ path }) => path)]);
    const infos = new Map(parsePathInfo(stdout).map(info => [info.path, info]));
    const other = some.find(({ path, narHash }) => infos.get(path)?.narHash !== narHash);
    if (other === undefined) continue;
    throw new UserError(
      `${other.path} in the store differs from the one that the archive of ${manifest.host} was built with.`,
      {
        where: { host: manifest.host },
        cure: 'Nothing was copied. Build with `archive: full`, or rerun the job that built it.',
      },
    );
  }
  const inside = manifest.paths.filter(path => path.inside).map(({ path }) => path);
  if (inside.length === 0) return;
  // Nix checks the signatures again, so that files which were changed since they were verified are not imported.
  const trust =
    trustedKeys.length === 0
      ? ['--no-check-sigs']
      : ['--option', 'require-sigs', 'true', '--option', 'trusted-public-keys', trustedKeys.join(' ')];
  // In one call, since each path's references must be imported before it.
  await importing(['copy', ...trust, '--no-recursive', '--from', `file://${directory}`, ...inside]);
}
