import type { Built } from '../../../src/build/built.ts';
import type { Nix } from '../../../src/nix/index.ts';
import type { HostNix } from '../../../src/plan/fleet.ts';

export type BuiltHost = Extract<Built, { ok: true }>;

/** A host without target and settings whose `toplevel` is in the store of `nix`, as the build stage returns it. */
export async function builtHost(
  nix: Nix,
  {
    name,
    system,
    toplevel,
    nix: hostNix = null,
  }: { name: string; system: string; toplevel: string; nix?: HostNix | null },
): Promise<BuiltHost> {
  const closure = await nix.closure([toplevel]);
  return {
    ok: true,
    toplevel,
    closure,
    closureBytes: closure.reduce((sum, { narSize }) => sum + narSize, 0),
    builtDerivations: 0,
    host: {
      name,
      system,
      toplevel: { drvPath: '', outPath: toplevel },
      target: null,
      tags: [],
      unusable: null,
      buildOnly: false,
      healthChecks: { cmd: [], http: [] },
      preDeployChecks: { cmd: [], http: [] },
      secrets: [],
      overrides: {},
      nixpkgs: null,
      nix: hostNix,
    },
  };
}
