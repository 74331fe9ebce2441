import { expect, test } from '@jest/globals';
import { deploymentsOfArchives } from '../../src/deploy/index.ts';

test('archives have only a system: `targets` gives them tags, checks and overrides too', () => {
  const manifest = { commit: null, repository: null };
  const archive = { host: 'web', system: 'x86_64-linux', toplevel: '/nix/store/web', kind: 'full', directory: '/a' };
  const archives = [{ ...archive, closureBytes: 1, manifest }] as unknown as Parameters<
    typeof deploymentsOfArchives
  >[0];
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
