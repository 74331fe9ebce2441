import { expect, test } from '@jest/globals';
import { connectionFailure } from '../../src/deploy/failure.ts';
import type { OutcomeKind } from '../../src/deploy/outcome.ts';
import type { Phase } from '../../src/deploy/phase.ts';
import { CommandError } from '../../src/errors.ts';

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
  ['Host key verification failed.', 'activate', 'failed', /Host key verification failed/],
  ['root@192.0.2.7: Permission denied (publickey).', 'activate', 'failed', /Permission denied/],
])('%s, in the phase %s', (stderr, phase, outcome, message) => {
  const error = new CommandError(['ssh'], { kind: 'exit', code: 255 }, `${stderr}\n`);
  expect(connectionFailure(error, target, phase, { publicKey: 'ssh-ed25519 AAAA', keyName: null })).toEqual({
    outcome,
    message: expect.stringMatching(message),
  });
});

test.each([
  ['192.0.2.7', '192.0.2.7', /^No host key of 192.0.2.7 is known: connect to it once with `ssh`/],
  ['named', '192.0.2.7', /^No host key of named \(192.0.2.7\) is known: connect to it once/],
  ['named', '[192.0.2.7]:2222', /^No host key of named \(\[192.0.2.7\]:2222\) is known: /],
  ['Named', 'Named', /^No host key of Named \(named\) is known: /],
  ['named', 'other', /^No host key is pinned for .*, through which named is reached: /],
])("the user's own settings: %s, whose host key is that of %s", (address, keyName, message) => {
  const asked = keyName === 'other' ? 'bastion' : keyName.toLowerCase();
  const stderr = `No ED25519 host key is known for ${asked} and you have requested strict checking.`;
  const error = new CommandError(['ssh'], { kind: 'exit', code: 255 }, `${stderr}\nHost key verification failed.\n`);
  const own = { ...target, address, port: null };
  expect(connectionFailure(error, own, 'probe', { publicKey: null, keyName })).toEqual({
    outcome: 'refused',
    message: expect.stringMatching(message),
  });
});
