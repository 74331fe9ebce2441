import { expect, test } from '@jest/globals';
import { noUnits } from '../../src/deploy/units.ts';
import type { Fleet, Host } from '../../src/plan/fleet.ts';
import { type TargetSettings, targetOf } from '../../src/plan/targets.ts';
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

test('a plan says where each host would be deployed', () => {
  const on = (settings: TargetSettings): Pick<Host, 'target'> => ({ target: targetOf(settings) });
  const hosts = [
    { ...host('router'), ...on({ address: '192.0.2.7', user: 'deploy', port: 2222 }) },
    { ...host('server'), ...on({ address: '2001:db8::7', port: 22 }) },
    { ...host('runner'), ...on({ address: 'local' }) },
    { ...host('desk'), unusable: 'The address of desk is empty.' },
    host('image'),
  ];
  expect(text(run({ mode: 'none', fleet: fleetOf(hosts) })).split('\n')).toEqual([
    'router  x86_64-linux    /nix/store/cccc-nixos.drv → deploy@192.0.2.7:2222',
    'server  x86_64-linux    /nix/store/cccc-nixos.drv → root@[2001:db8::7]:22',
    'runner  x86_64-linux    /nix/store/cccc-nixos.drv → local',
    'desk    x86_64-linux    /nix/store/cccc-nixos.drv (its target cannot be used: The address of desk is empty.)',
    'image   x86_64-linux    /nix/store/cccc-nixos.drv',
    '',
  ]);
});

test('why a deployment failed is said once', () => {
  const outcomes = [outcome('web', 'rolled-back', { message: 'Not confirmed.' })];
  expect(text(run({ fleet: fleetOf([host('web')]), outcomes })).match(/Not confirmed/g)).toHaveLength(1);
  expect(text(run({ outcomes }))).toContain('web: deploy failed: Not confirmed.\n');
});

function fleetOf(hosts: Host[]): Fleet {
  const plain = { format: 'flake', detected: null, source: '/source', commit: null, dirty: false } as const;
  return { ...plain, hosts, failures: [] };
}
