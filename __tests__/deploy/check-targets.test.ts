import { expect, test } from '@jest/globals';
import { checkKnownHosts, checkTargets } from '../../src/deploy/index.ts';
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
  { host: 'web', target, buildOnly: false, tags: [], unusable: null },
  { host: 'asks', target: null, buildOnly: false, tags: [], unusable: 'The node "asks" has interactiveSudo.' },
];

test.each([
  [{ sshOptions: ['-o', 'ProxyCommand=touch /tmp/x'] }, 'the source may not set the SSH option ProxyCommand'],
  [{ address: '-oProxyCommand=x' }, 'is neither a host name nor an IP address'],
])('what a source may not say of a target is an error before anything is built: %j', (wrong, message) => {
  const evil = { host: 'web', target: { ...target, ...wrong }, buildOnly: false, tags: [], unusable: null };
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, [evil])).toThrow(message);
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, [evil])).toThrow('Host web');
});

test('two hosts with the same target are an error, which names them', () => {
  const check = (more: object, mode: 'switch' | 'none' = 'switch'): void =>
    checkTargets({ ...deployInputs, mode }, [
      { host: 'web', target, buildOnly: false, tags: [] },
      { host: 'db', target: { ...target, ...more }, buildOnly: false, tags: [] },
    ]);
  const message = 'The hosts web and db have the same target, web.example.';
  expect(() => check({})).toThrow(message);
  expect(() => check({ user: 'deploy' })).toThrow(message);
  expect(() => check({ port: 22 })).toThrow(message);
  expect(() => check({ port: 2222 })).not.toThrow();
  expect(() => check({ address: 'db.example' })).not.toThrow();
  expect(() => check({ sshOptions: ['-J', 'bastion'] })).not.toThrow();
  expect(() => check({}, 'none')).not.toThrow();
});

test('a target that cannot be used is an error only if something is deployed to it', () => {
  expect(() => checkTargets({ ...deployInputs, mode: 'none' }, hosts)).not.toThrow();
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, hosts.slice(0, 1))).not.toThrow();
  expect(() => checkTargets({ ...deployInputs, mode: 'switch' }, hosts)).toThrow(
    'The node "asks" has interactiveSudo.',
  );
});

test('host keys are missing only for targets that are deployed to over SSH', () => {
  const without = { ...deployInputs, knownHosts: null };
  expect(() => checkKnownHosts({ ...without, mode: 'switch' }, [target])).toThrow('No host keys are pinned');
  expect(() => checkKnownHosts({ ...without, mode: 'none' }, [target])).not.toThrow();
  expect(() => checkKnownHosts({ ...without, mode: 'switch', ownSsh: true }, [target])).not.toThrow();
  expect(() => checkKnownHosts({ ...without, mode: 'switch' }, [{ ...target, address: 'local' }])).not.toThrow();
  expect(() => checkKnownHosts({ ...deployInputs, mode: 'switch' }, [target])).not.toThrow();
});
