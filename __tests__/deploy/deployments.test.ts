import { expect, test } from '@jest/globals';
import type { Archive, Manifest } from '../../src/archive/index.ts';
import { deploymentsOfArchives } from '../../src/deploy/index.ts';

const toplevel = '/nix/store/0c2y0wpmmbn3n0xcl7wjkzlyfl90xp4x-nixos-system-web';
const archive: Archive = {
  ...{ host: 'web', system: 'x86_64-linux', toplevel, kind: 'full', directory: '/archives/closure-web', bytes: 1 },
  ...{ paths: 1, closurePaths: 1, closureBytes: 1, insideBytes: 1, digest: 'sha256:0', publicKey: null },
  artifact: null,
};
const provenance = { commit: 'a'.repeat(40), repository: 'acme/fleet' };

test.each([
  ['its branch and the time of its commit', { branch: 'main', committed: 2000 }, { branch: 'main', committed: 2000 }],
  ['an older release wrote neither', {}, { branch: null, committed: null }],
])('an archive says where it comes from: %s', (_, more, expected) => {
  const manifest = { ...provenance, ...more } as Manifest;
  const [deployment] = deploymentsOfArchives([{ ...archive, manifest }], {});
  expect(deployment?.origin).toEqual({ ...provenance, ...expected });
});

test('archives have only a system: `targets` gives them tags, checks and overrides too', () => {
  const archives = [{ ...archive, manifest: provenance as Manifest }];
  const cmd = [{ description: 'it runs', cmd: ['true'], period: 1, timeout: 1 }];
  const settings = { tags: ['prod'], offline: 'skip', failedUnits: 'ignore', hostTimeout: 60, healthChecks: { cmd } };
  expect(deploymentsOfArchives(archives, { web: { address: 'web.example', ...settings } })).toMatchObject([
    {
      target: { address: 'web.example' },
      tags: ['prod'],
      overrides: { offline: 'skip', failedUnits: 'ignore', hostTimeout: 60 },
      healthChecks: { cmd, http: [] },
      preDeployChecks: { cmd: [], http: [] },
    },
  ]);
  expect(deploymentsOfArchives(archives, {})).toMatchObject([{ target: null, tags: [], overrides: {} }]);
});
