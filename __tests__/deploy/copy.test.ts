import { expect, test } from '@jest/globals';
import { copyArguments, countPaths } from '../../src/deploy/copy.ts';
import type { ClosureSource } from '../../src/deploy/deployment.ts';
import type { Target } from '../../src/plan/fleet.ts';

const toplevel = '/nix/store/bbbb-nixos-2';
const target: Target = {
  address: '192.0.2.7',
  port: null,
  user: 'root',
  privilegeEscalation: ['sudo', '-n'],
  sshOptions: [],
  sshOptionsFrom: 'targets',
  substituteOnDestination: false,
};
const deploying = { ...target, user: 'deploy' };
const sudo = 'ssh-ng://target-0?remote-program=sudo%20-n%20nix-daemon';

test.each<[string, Target, boolean | null, ClosureSource, string[]]>([
  ['root', target, true, { from: 'store' }, ['--to', 'ssh-ng://target-0', toplevel]],
  ['a trusted user', deploying, true, { from: 'store' }, ['--to', 'ssh-ng://target-0', toplevel]],
  ['a user whom Nix does not trust', deploying, false, { from: 'store' }, ['--to', sudo, toplevel]],
  ['a user whose trust is unknown', deploying, null, { from: 'store' }, ['--to', sudo, toplevel]],
  [
    'substituting on the target',
    { ...target, substituteOnDestination: true },
    true,
    { from: 'store' },
    ['--substitute-on-destination', '--to', 'ssh-ng://target-0', toplevel],
  ],
  [
    'an archive',
    target,
    true,
    { from: 'archive', directory: '/a b/c' },
    ['--from', 'file:///a b/c', '--to', 'ssh-ng://target-0', toplevel],
  ],
])('%s', (_, to, trusted, closure, words) => {
  expect(copyArguments({ toplevel, closure }, { alias: 'target-0', target: to }, { trusted })).toEqual([
    'copy',
    '--no-check-sigs',
    ...words,
  ]);
});

test('a gate checks the signatures of what it receives', () => {
  const gated = { alias: 'target-0', target: { ...deploying, user: 'nix-ferry' } };
  const store = 'ssh-ng://target-0?remote-program=nix-ferry-gate%201%20receive';
  for (const trusted of [true, false, null]) {
    const words = copyArguments({ toplevel, closure: { from: 'store' } }, gated, { trusted });
    expect(words).toEqual(['copy', '--to', store, toplevel]);
  }
});

test('paths are counted from what Nix prints', () => {
  const shown: string[] = [];
  const read = countPaths(text => shown.push(text));
  for (const line of [
    'warning: something',
    'copying 2 paths...',
    "copying path '/nix/store/aaaa-x' to 'ssh-ng://target-0'...",
    "copying path '/nix/store/bbbb-y' from 'file:///a' to 'ssh-ng://target-0'...",
  ]) {
    read(line);
  }
  expect(shown).toEqual(['copying 1 of 2 paths', 'copying 2 of 2 paths']);
});
