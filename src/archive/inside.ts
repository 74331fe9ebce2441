import type { PathInfo } from '../nix/index.ts';
import type { HostNix } from '../plan/fleet.ts';
import type { ManifestPath } from './archive.ts';

/**
 * Decides for each path of a host's closure whether it goes into the archive, or else which cache has it.
 *
 * A delta leaves out a path that is signed by a key that the target's own configuration trusts, if the target has a
 * substituter. What was built here goes into the archive whatever its signatures are: a builder may sign with a key that
 * the target trusts although no cache has the path. No cache is queried.
 *
 * @param nix Nix's settings in the host's evaluated configuration; null: unknown, so everything goes into the archive.
 * @returns sorted by path.
 */
export function chooseInside(
  closure: readonly PathInfo[],
  kind: 'delta' | 'full',
  nix: HostNix | null,
): ManifestPath[] {
  const trusted = new Set<string>();
  if (kind === 'delta' && nix !== null && nix.substituters.length > 0) {
    for (const key of nix.trustedPublicKeys) trusted.add(keyName(key));
  }
  return closure
    .map(({ path, narHash, narSize, signatures, ultimate }) => {
      const names = ultimate ? [] : signatures.map(keyName).filter(name => trusted.has(name));
      const cache = names.sort()[0] ?? null;
      return { path, narHash, narSize, inside: cache === null, cache };
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** `cache.nixos.org-1` for `cache.nixos.org-1:base64`. */
function keyName(key: string): string {
  return key.slice(0, key.indexOf(':'));
}
