import type { PathInfo } from '../nix/index.ts';
import type { HostNix } from '../plan/fleet.ts';
import type { ManifestPath } from './archive.ts';

/**
 * Tells for each path of a host's closure whether it must lie in the archive, or which cache has it.
 *
 * A delta leaves out what carries a signature by a key that the target's own configuration trusts, as long as the target
 * has a substituter to fetch it from. What was built here lies inside whatever its signatures: a builder may sign with a
 * key the target trusts, and yet no cache has the path. No query is made.
 *
 * @param nix what the host's evaluated configuration says; null: nothing is known, all lies inside.
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

/** `cache.nixos.org-1` of `cache.nixos.org-1:base64`. */
function keyName(key: string): string {
  return key.slice(0, key.indexOf(':'));
}
