import { expect, test } from '@jest/globals';
import { layer, overridesOf, parseTargetSettings, portOf, targetOf, unusable } from '../../src/plan/targets.ts';

test.each<[unknown, object]>([
  ['web.example', { address: 'web.example' }],
  ['deploy@web.example:2222', { user: 'deploy', address: 'web.example', port: 2222 }],
  ['10.0.0.1:22', { address: '10.0.0.1', port: 22 }],
  ['root@[2001:db8::1]:22', { user: 'root', address: '2001:db8::1', port: 22 }],
  ['2001:db8::1', { address: '2001:db8::1' }],
  [
    { address: 'a@b:1', port: 2 },
    { user: 'a', address: 'b', port: 2 },
  ],
  [
    { address: 'b', tags: ['x'], privilegeEscalation: ['doas'], sshOptions: ['-4'], substituteOnDestination: false },
    {
      ...{ address: 'b', tags: ['x'], privilegeEscalation: ['doas'], substituteOnDestination: false },
      ...{ sshOptions: ['-4'], sshOptionsFrom: 'targets' },
    },
  ],
  [{ buildOnly: true }, { address: false }],
  [
    { offline: 'skip', failedUnits: 'rollback', hostTimeout: 0 },
    { offline: 'skip', failedUnits: 'rollback', hostTimeout: 0 },
  ],
  [{ preDeployChecks: {} }, { preDeployChecks: { cmd: [], http: [] } }],
])('%j is read', (value, expected) => {
  expect(parseTargetSettings(value, 'targets.web')).toEqual(expected);
});

test.each<[unknown, string]>([
  ['-oProxyCommand=evil', 'targets.web is "-oProxyCommand=evil".'],
  ['root@-oProxyCommand=evil', 'targets.web is "root@-oProxyCommand=evil".'],
  ['-l@host', 'targets.web is "-l@host".'],
  ['host:99999', 'targets.web is "host:99999".'],
  ['a b', 'targets.web is "a b".'],
  ['', 'targets.web is "".'],
  [5, 'targets.web is 5.'],
  [{ address: 'x', port: '22' }, 'targets.web.port is "22".'],
  [{ adress: 'x' }, 'targets.web has no setting "adress".'],
  [{ user: '-x' }, 'targets.web.user is "-x".'],
  [{ offline: 'ignore' }, 'targets.web.offline is "ignore".'],
  [{ failedUnits: true }, 'targets.web.failedUnits is true.'],
  [{ hostTimeout: '60' }, 'targets.web.hostTimeout is "60".'],
  [{ healthChecks: [] }, 'targets.web.healthChecks is [].'],
  [{ sshOptions: '-4' }, 'targets.web.sshOptions is "-4".'],
])('%j is refused', (value, message) => {
  expect(() => parseTargetSettings(value, 'targets.web')).toThrow(message);
});

test('the most similar key is suggested', () => {
  expect(() => parseTargetSettings({ adress: 'x' }, 'targets.web')).toThrow(
    expect.objectContaining({ cure: expect.stringContaining('Did you mean address?') }),
  );
});

test('the input overrides the source, setting by setting', () => {
  const both = layer({ address: 'a', port: 1, tags: ['t'], sshOptions: ['-4'] }, { address: 'b', user: 'u' });
  expect(targetOf(both)).toEqual({
    address: 'b',
    port: 1,
    user: 'u',
    privilegeEscalation: ['sudo', '-n'],
    sshOptions: ['-4'],
    sshOptionsFrom: 'source',
    substituteOnDestination: true,
  });
});

test('inputs of the deploy stage that have another value for a host', () => {
  const source = parseTargetSettings({ address: 'a', offline: 'skip', hostTimeout: 60 }, 'flake.nix', 'source');
  const given = parseTargetSettings({ offline: 'fail', failedUnits: 'ignore' }, 'targets.web');
  expect(overridesOf(layer(source, given))).toEqual({ offline: 'fail', hostTimeout: 60, failedUnits: 'ignore' });
  expect(overridesOf({ address: 'a' })).toEqual({});
});

test('it is known whether the options of SSH are from the source or from the input', () => {
  const source = parseTargetSettings({ address: 'a', sshOptions: ['-4'] }, 'hive.nix', 'source');
  expect(targetOf(layer(source, { user: 'u' }))).toMatchObject({ sshOptions: ['-4'], sshOptionsFrom: 'source' });
  const given = parseTargetSettings({ sshOptions: ['-6'] }, 'targets.web');
  expect(targetOf(layer(source, given))).toMatchObject({ sshOptions: ['-6'], sshOptionsFrom: 'targets' });
});

test('a source cannot say that the input set its options', () => {
  const settings = { address: 'a', sshOptions: ['-A'], sshOptionsFrom: 'targets' };
  expect(() => parseTargetSettings(settings, 'hive.nix', 'source')).toThrow('has no setting "sshOptionsFrom"');
});

test('there is no target without an address', () => {
  expect(targetOf({ user: 'u' })).toBeNull();
  expect(targetOf({ address: false })).toBeNull();
});

test.each<[string[], number | null]>([
  [[], null],
  [['-4'], null],
  [['-p', '2222'], 2222],
  [['-p2222'], 2222],
  [['-o', 'Port=2222'], 2222],
  [['-oPort=2222'], 2222],
  [['-p', 'x'], null],
])('the port in %j', (words, port) => {
  expect(portOf(words)).toBe(port);
});

test('what a source says and cannot be used is a problem only of the host that is deployed', () => {
  const where = 'the target of "web"';
  const bad = parseTargetSettings({ address: '-x', user: 'u' }, where, 'source');
  expect(unusable(bad)).toBe('the target of "web".address is "-x". Write `user@address:port`.');
  expect(unusable(layer(bad, { address: 'web.example' }))).toBeNull();
  expect(unusable(layer(bad, { address: false }))).toBeNull();
  const asks = { address: 'a', user: 'u', problems: { privilegeEscalation: 'It asks.' } };
  expect([unusable(asks), unusable(layer(asks, { user: 'root' }))]).toEqual(['It asks.', null]);
  expect(unusable(layer(asks, { privilegeEscalation: ['doas'] }))).toBeNull();
});
