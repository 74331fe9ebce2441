import { expect, test } from '@jest/globals';
import type { Activation } from '../../src/deploy/activation.ts';
import { connectionFailure } from '../../src/deploy/failure.ts';
import { judge } from '../../src/deploy/judge.ts';
import type { Mode, OutcomeKind } from '../../src/deploy/outcome.ts';
import type { Phase } from '../../src/deploy/phase.ts';
import { CommandError } from '../../src/errors.ts';

const before = '/nix/store/aaaa-nixos-1';
const toplevel = '/nix/store/bbbb-nixos-2';
const good: Activation = {
  result: 'activated',
  why: '',
  step: 'boot',
  code: 0,
  before,
  current: toplevel,
  profile: toplevel,
};

test.each<[string, Partial<Activation>, Mode, string, RegExp]>([
  ['exit 0', {}, 'switch', 'deployed', /Runs and boots the new system/],
  ['boot leaves what runs', { current: before }, 'boot', 'deployed', /next boot/],
  ['test leaves the profile', { profile: before }, 'test', 'deployed', /until the next boot/],
  ['dry-activate', { current: before, profile: before }, 'dry-activate', 'planned', /Nothing was changed/],
  ['exit 4', { code: 4 }, 'switch', 'degraded', /these units failed: d.service/],
  ['exit 100', { code: 100, current: before }, 'switch', 'needs-reboot', /The next boot starts it/],
  ['exit 100 of a test', { code: 100, current: before, profile: before }, 'test', 'refused', /init interface/],
  ['exit 0, but the old system runs', { current: before }, 'switch', 'failed', /runs \/nix\/store\/aaaa/],
  [
    'exit 0, but the profile is elsewhere',
    { profile: before },
    'boot',
    'failed',
    /profile points to \/nix\/store\/aaaa/,
  ],
  [
    'exit 1',
    { result: 'refused', step: 'test', code: 1 },
    'switch',
    'refused',
    /pre-switch check.*nothing was changed/,
  ],
  [
    'exit 11',
    { result: 'refused', step: 'test', code: 11 },
    'switch',
    'refused',
    /Another switch-to-configuration is running/,
  ],
  [
    'our lock',
    { result: 'refused', step: 'lock', why: 'a/b run 2, since 10:00' },
    'switch',
    'refused',
    /locked the target: a\/b run 2/,
  ],
  [
    'exit 2',
    { result: 'rolled-back', step: 'test', code: 2 },
    'switch',
    'rolled-back',
    /activation script.*back on \/nix\/store\/aaaa/,
  ],
  ['boot loader', { result: 'rolled-back', step: 'boot', code: 1 }, 'switch', 'rolled-back', /boot loader/],
  [
    'a failed rollback',
    { result: 'failed', step: 'test', code: 2, why: 'going back failed too' },
    'switch',
    'failed',
    /failed too/,
  ],
])('%s', (_, activation, mode, outcome, message) => {
  const judged = judge({ ...good, ...activation }, toplevel, mode, ['warning: the following units failed: d.service']);
  expect(judged).toEqual({ outcome, message: expect.stringMatching(message) });
});

const target = {
  address: '192.0.2.7',
  port: 22,
  user: 'root',
  privilegeEscalation: [],
  sshOptions: [],
  sshOptionsFrom: 'targets' as const,
  substituteOnDestination: false,
};

test.each<[string, Phase, OutcomeKind, RegExp]>([
  ['ssh: connect to host 192.0.2.7 port 22: Connection refused', 'copy', 'unreachable', /Connection refused/],
  ['ssh: Could not resolve hostname web: Name or service not known', 'probe', 'unreachable', /resolve/],
  ['Host key verification failed.', 'probe', 'refused', /a different host key than the pinned one/],
  [
    'No ED25519 host key is known for bastion and you have requested strict checking.\nHost key verification failed.',
    'probe',
    'refused',
    /No host key is pinned for bastion, through which 192.0.2.7 port 22 is reached/,
  ],
  [
    'root@192.0.2.7: Permission denied (publickey).',
    'probe',
    'refused',
    /does not accept the deploy key for root: add `ssh-ed25519 AAAA`/,
  ],
  ['client_loop: send disconnect: Broken pipe', 'activate', 'failed', /continues by itself/],
])('%s', (stderr, phase, outcome, message) => {
  const error = new CommandError(['ssh'], { kind: 'exit', code: 255 }, `${stderr}\n`);
  expect(connectionFailure(error, target, phase, 'ssh-ed25519 AAAA')).toEqual({
    outcome,
    message: expect.stringMatching(message),
  });
});
