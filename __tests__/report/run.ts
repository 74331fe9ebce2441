import type { Outcome, OutcomeKind } from '../../src/deploy/outcome.ts';
import type { Host } from '../../src/plan/fleet.ts';
import type { Run } from '../../src/report/run.ts';

/** Example values of the stages' types, for the tests of the report. */
export function host(name: string, system = 'x86_64-linux'): Host {
  const none = { cmd: [], http: [] };
  return {
    name,
    system,
    toplevel: { drvPath: '/nix/store/cccc-nixos.drv', outPath: '/nix/store/bbbb-nixos' },
    target: null,
    tags: [],
    unusable: null,
    buildOnly: false,
    healthChecks: none,
    preDeployChecks: none,
    secrets: [],
    overrides: {},
    nixpkgs: null,
    nix: null,
  };
}

export function outcome(name: string, kind: OutcomeKind, more: Partial<Outcome> = {}): Outcome {
  return {
    host: name,
    outcome: kind,
    mode: 'switch',
    before: '/nix/store/aaaa-nixos',
    after: '/nix/store/bbbb-nixos',
    message: `${kind}.`,
    units: { stop: [], start: [], restart: [], reload: [], kept: [], failed: [] },
    others: [],
    seconds: 1.5,
    ...more,
  };
}

export function run(more: Partial<Run> = {}): Run {
  return {
    mode: 'switch',
    fleet: null,
    built: [],
    archives: [],
    previews: [],
    previewed: null,
    outcomes: [],
    work: null,
    timings: {},
    timeline: [],
    address: null,
    error: null,
    ...more,
  };
}

export function built(name: string, system = 'x86_64-linux'): Run['built'][number] {
  const closure = Array.from({ length: 3 }, (_, index) => ({
    path: `/nix/store/${index}-x`,
    narHash: 'sha256-x',
    narSize: 10,
    references: [],
    signatures: [],
    ultimate: true,
  }));
  return {
    host: host(name, system),
    ok: true,
    toplevel: '/nix/store/bbbb-nixos',
    closureBytes: 1.5 * 1024 ** 3,
    closure,
    builtDerivations: 1,
  };
}

export function archive(name: string): Run['archives'][number] {
  return {
    host: name,
    system: 'x86_64-linux',
    toplevel: '/nix/store/bbbb-nixos',
    kind: 'full',
    directory: '/scratch/a',
    bytes: 40 * 1024 ** 2,
    paths: 3,
    closurePaths: 3,
    insideBytes: 1.5 * 1024 ** 3,
    publicKey: null,
    closureBytes: 1.5 * 1024 ** 3,
    digest: 'sha256:0',
    artifact: null,
  };
}
