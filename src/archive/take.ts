import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { publicKeyOf } from '../nix/sign.ts';
import { select } from '../plan/index.ts';
import type { Archive, ArchiveStores, Manifest } from './archive.ts';
import { fetchArchives, readArchives } from './fetch.ts';
import { type ImportingNix, importArchive } from './import.ts';
import type { FetchInputs } from './inputs.ts';
import { verifyArchive } from './verify.ts';

/**
 * Takes existing archives instead of a source: reads or downloads those of the selected hosts, verifies all of them, and
 * imports into the local store those that do not hold their whole closure. Needs no evaluator and no repository.
 *
 * @throws UserError for an archive that is missing, damaged or, unless `allowUnsigned`, not signed by one of
 *   `trustedPublicKeys` or by `signingKey`.
 */
export async function takeArchives(
  from: NonNullable<FetchInputs['from']>,
  { hosts, trustedPublicKeys, signingKey, allowUnsigned }: FetchInputs,
  stores: ArchiveStores,
  { nix, importing }: { nix: Nix; importing: ImportingNix },
  context: Context,
): Promise<(Archive & { manifest: Manifest })[]> {
  // Hosts that are named are asked for by name; globs and exclusions are applied to all that exist.
  const named = hosts.length > 0 && hosts.every(host => !/[*?@!]/.test(host)) ? hosts : null;
  const read =
    'directory' in from
      ? await readArchives(from.directory, context)
      : await fetchArchives(named, from.run, stores.directory, artifactsOf(stores));
  const chosen = new Set(
    select(
      read.map(({ host }) => host),
      hosts,
      () => [],
    ),
  );
  const archives = read.filter(({ host }) => chosen.has(host));
  // With `allowUnsigned`, an archive is not refused because there is also a key to sign others with.
  const own = signingKey === null || allowUnsigned ? [] : [await publicKeyOf(signingKey, nix)];
  const trusted = [...trustedPublicKeys, ...own];
  if (trusted.length === 0 && !allowUnsigned) throw new Error('archives would be used without a key');
  await mapConcurrently(archives, 4, ({ directory }) => verifyArchive(directory, trusted, nix, context));
  for (const one of archives) if (one.kind === 'delta') await importArchive(one, trusted, nix, importing, context);
  return archives;
}

function artifactsOf({ artifacts }: ArchiveStores): NonNullable<ArchiveStores['artifacts']> {
  if (artifacts !== null) return artifacts;
  throw new UserError('Artifacts can only be downloaded in a run of GitHub Actions.', {
    where: { input: 'from' },
    cure: 'Download and unzip the artifact, and give its folder.',
  });
}
