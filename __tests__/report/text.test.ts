import { expect, test } from '@jest/globals';
import { noUnits } from '../../src/deploy/units.ts';
import type { Fleet, Host } from '../../src/plan/fleet.ts';
import { text } from '../../src/report/text.ts';
import { host, outcome, run } from './run.ts';

test('a dry run names the units and what else would change', () => {
  const units = { ...noUnits(), stop: ['a.service', 'gone.service'], start: ['a.service'], kept: ['session.service'] };
  const planned = outcome('web', 'planned', { mode: 'dry-activate', units, others: ['would remove user ‘eve’'] });
  expect(text(run({ mode: 'dry-activate', outcomes: [planned] })).split('\n')).toEqual([
    'web: would stop: gone.service',
    'web: would restart: a.service',
    'web: changed, but would keep running in the old version: session.service',
    'web: would remove user ‘eve’',
    '',
  ]);
});

test('what a deployment changed is not listed', () => {
  const units = { ...noUnits(), restart: ['a.service'] };
  expect(text(run({ outcomes: [outcome('web', 'deployed', { units })] }))).toBe('');
});

test('a plan says where each host would go, and which secrets and checks go with it', () => {
  const target = {
    address: '192.0.2.7',
    port: 2222,
    user: 'root',
    privilegeEscalation: [],
    sshOptions: [],
    sshOptionsFrom: 'source' as const,
    substituteOnDestination: true,
  };
  const secret = { name: 'key' } as Host['secrets'][number];
  const check = { description: 'x', cmd: ['true'], period: 1, timeout: 1 };
  const hosts = [
    { ...host('web'), target, secrets: [secret, secret], healthChecks: { cmd: [check], http: [] } },
    { ...host('v6'), target: { ...target, address: '2001:db8::1', port: null } },
    { ...host('here'), target: { ...target, address: 'local' } },
    { ...host('iso'), buildOnly: true },
    { ...host('odd'), unusable: 'The node has no hostname.' },
    host('none'),
  ];
  const said = (mode: 'none' | 'dry-activate'): string[] =>
    text(run({ mode, fleet: fleetOf(hosts) }))
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/^.*\.drv; /, ''));
  expect(said('none')).toEqual([
    'would go to root@192.0.2.7:2222 with 2 secrets and 1 check',
    'would go to root@2001:db8::1',
    'would go to this machine',
    'is only built',
    'cannot be deployed: The node has no hostname.',
    'has no target',
  ]);
  expect(said('dry-activate')[0]).toBe(
    'would go to root@192.0.2.7:2222 with 2 secrets; mode dry-activate does not run 1 check',
  );
});

test('why a deployment failed is said once', () => {
  const outcomes = [outcome('web', 'rolled-back', { message: 'Not confirmed.' })];
  expect(text(run({ fleet: fleetOf([host('web')]), outcomes })).match(/Not confirmed/g)).toHaveLength(1);
  expect(text(run({ outcomes }))).toContain('web: deploy failed: Not confirmed.\n');
});

function fleetOf(hosts: Host[]): Fleet {
  const plain = { format: 'flake', detected: null, source: '/source', commit: null, dirty: false } as const;
  return { ...plain, names: [], hosts, failures: [] };
}
