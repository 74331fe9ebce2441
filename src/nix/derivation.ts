import { inParts } from './arguments.ts';
import type { Nix } from './index.ts';
import { compareVersions } from './version.ts';

/** The system that each derivation is built on, by the path of the derivation. */
export async function systemsOf(drvPaths: readonly string[], nix: Nix): Promise<Map<string, string>> {
  // Renamed in 2.14.
  const show = compareVersions(nix.installation.version, '2.14') < 0 ? ['show-derivation'] : ['derivation', 'show'];
  const systems = new Map<string, string>();
  for (const some of inParts(drvPaths)) {
    const { stdout } = await nix.run('nix', [...show, ...some]);
    for (const [drvPath, { system }] of derivationsIn(stdout)) systems.set(drvPath, system);
  }
  return systems;
}

/** Reads both forms of `nix derivation show`: keyed by path up to 2.31, later keyed by name inside `derivations`. */
export function derivationsIn(json: string): [string, { system: string }][] {
  const parsed = JSON.parse(json) as Record<string, unknown>;
  const derivations = (parsed.derivations ?? parsed) as Record<string, { system: string }>;
  return Object.entries(derivations).map(([path, derivation]) => [
    path.startsWith('/') ? path : `/nix/store/${path}`,
    derivation,
  ]);
}

/** `hello-1.0` for `/nix/store/<hash>-hello-1.0.drv`. */
export function derivationName(drvPath: string): string {
  return drvPath.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, '');
}
