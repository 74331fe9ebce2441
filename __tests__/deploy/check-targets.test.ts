import { expect, test } from '@jest/globals';
import { checkTargets } from '../../src/deploy/index.ts';
import { readInputs } from '../../src/inputs.ts';

const target = {
  address: 'web.example',
  port: null,
  user: 'root',
  privilegeEscalation: [],
  sshOptions: [],
  sshOptionsFrom: 'source' as const,
  substituteOnDestination: true,
};
const inputs = readInputs({}, name => name).deploy;
const deployInputs = { ...inputs, knownHosts: 'web.example ssh-ed25519 AAAA', ownSsh: false };
const hosts = [
  { target, buildOnly: false, tags: [], unusable: null },
  { target: null, buildOnly: false, tags: [], unusable: 'The node "asks" has interactiveSudo.' },
];

test.each([
  [{ sshOptions: ['-o', 'ProxyCommand=touch /tmp/x'] }, 'the source may not set the SSH option ProxyCommand'],
  [{ address: '-oProxyCommand=x' }, 'is neither a host name nor an IP address'],
])('what a source may not say of a target is an error before anything is built: %j', (wrong, message) => {
  const evil = { name: 'web', target: { ...target, ...wrong }, buildOnly: false, tags: [], unusable: null };
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, [evil])).toThrow(message);
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, [evil])).toThrow('Host web');
});

test('a target that cannot be used is an error only if something is deployed to it', () => {
  expect(() => checkTargets({ ...deployInputs, mode: 'none' }, hosts)).not.toThrow();
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, hosts.slice(0, 1))).not.toThrow();
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, hosts)).toThrow(
    'The node "asks" has interactiveSudo.',
  );
});
