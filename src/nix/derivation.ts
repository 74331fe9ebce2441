import type { Nix } from './index.ts';
import { compareVersions } from './version.ts';

/** The system that each derivation is built on, by its path. */
export async function systemsOf(drvPaths: readonly string[], nix: Nix): Promise<Map<string, string>> {
  // Renamed in Nix 2.14.
  const show = compareVersions(nix.installation.version, '2.14') < 0 ? ['show-derivation'] : ['derivation', 'show'];
  const systems = new Map<string, string>();
  // An argument list is limited to 2 MiB.
  for (let at = 0; at < drvPaths.length; at += 1000) {
    const { stdout } = await nix.run('nix', [...show, ...drvPaths.slice(at, at + 1000)]);
    for (const [path, { system }] of derivationsIn(stdout)) systems.set(path, system);
  }
  return systems;
}

/** Reads both forms of `nix derivation show`: keyed by path and, after Nix 2.31, by name inside `derivations`. */
export function derivationsIn(json: string): [string, { system: string }][] {
  const parsed = JSON.parse(json) as Record<string, unknown>;
  const derivations = (parsed.derivations ?? parsed) as Record<string, { system: string }>;
  return Object.entries(derivations).map(([path, derivation]) => [
    path.startsWith('/') ? path : `/nix/store/${path}`,
    derivation,
  ]);
}
