import { execFileSync } from 'node:child_process';
import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { checkSecrets, type Reading, reads } from '../../src/deploy/secrets/check.ts';
import { SecretContent } from '../../src/deploy/secrets/content.ts';
import { isSameDigest, newDigest } from '../../src/deploy/secrets/digest.ts';
import { secretVariablesIn } from '../../src/environment.ts';
import type { Secret } from '../../src/plan/fleet.ts';

const good: Secret = {
  ...{ name: 'k', source: { file: '/fleet/k' }, destination: '/run/keys/k', user: 'root', group: 'root' },
  ...{ permissions: '0400', action: [], mkDirs: true, uploadAt: 'pre-activation' },
};
const target = {
  ...{ address: 'web', port: null, user: 'root', privilegeEscalation: [], sshOptions: [] },
  ...{ sshOptionsFrom: 'targets' as const, substituteOnDestination: true },
};
const deploying: Reading = { mode: 'switch', ownCode: true, secretVariables: {}, signingKey: null };
const check = (secrets: Secret[], reading: Partial<Reading> = {}, more = {}) =>
  checkSecrets([{ host: 'web', target, buildOnly: false, secrets, ...more }], { ...deploying, ...reading });

test.each<[Partial<Secret>, string]>([
  [{ destination: 'run/k' }, 'is not an absolute path'],
  [{ destination: '/run/../etc/k' }, 'is not an absolute path'],
  [{ destination: '/run/keys/' }, 'is not an absolute path'],
  [{ destination: '/run/a\nb' }, 'is not an absolute path'],
  [{ destination: '/nix/store/k' }, 'is in the store'],
  [{ user: '-R' }, 'is not the name of a user'],
  [{ group: 'a:b' }, 'is not the name of a group'],
  [{ permissions: 'u=r' }, 'are not octal'],
  [{ source: { command: [] } }, 'its command is empty'],
  [{ source: { file: '/a', env: 'B' } as Secret['source'] }, 'its source has file and env, not exactly one'],
  [{ source: { env: 'DB' } }, 'the variable FERRY_SECRET_DB is not set'],
  [{ uploadAt: 'never' as 'pre-activation' }, 'not pre-activation or post-activation'],
])('%j is refused: %s', (wrong, problem) => {
  expect(() => check([{ ...good, ...wrong }])).toThrow(problem);
});

test('one error names everything that is wrong, also two secrets with one destination', () => {
  const wrong = [
    { ...good, permissions: 'x' },
    { ...good, name: 'l', user: '' },
  ];
  const lines = [
    'Secrets cannot be sent, and nothing was changed:',
    '  web: "k": its permissions "x" are not octal, as 0400',
    '  web: "l": "" is not the name of a user',
    '  web: "l": another secret has the same destination',
  ];
  expect(() => check(wrong)).toThrow(lines.join('\n'));
  expect(() => check([good])).not.toThrow();
});

test('what is not sent is not checked', () => {
  const wrong = [{ ...good, permissions: 'x' }];
  expect(() => check(wrong, { mode: 'none' })).not.toThrow();
  expect(() => check(wrong, {}, { target: null })).not.toThrow();
  expect(() => check(wrong, {}, { buildOnly: true })).not.toThrow();
});

test("a run that may run a stranger's code reads no source, and a dry run runs no command", () => {
  const command = { command: ['pass', 'k'] };
  const answers = (['none', 'preview', 'dry-activate', 'secrets', 'test', 'boot', 'switch'] as const).map(mode => [
    reads({ mode, ownCode: true }, command),
    reads({ mode, ownCode: true }, good.source),
    reads({ mode, ownCode: false }, command) || reads({ mode, ownCode: false }, good.source),
  ]);
  expect(answers).toEqual([
    [false, false, false],
    [false, true, false],
    [false, true, false],
    ...Array.from({ length: 4 }, () => [true, true, false]),
  ]);
  expect(() => check([good], { ownCode: false })).toThrow('which a run for this event does not read: web.');
  expect(() => check([good], { ownCode: false, mode: 'dry-activate' })).not.toThrow();
});

test('a content is in no JSON and no message; its digest is the one that the target makes', () => {
  const content = new SecretContent(Buffer.from('hush hush'));
  for (const shown of [JSON.stringify({ content }), `${content}`, inspect({ content }, { depth: 9 })]) {
    expect(shown).not.toContain('hush');
  }
  const script =
    'inner=$(printf %s "$0$1" | sha256sum | cut -d " " -f 1); printf %s "$0$inner" | sha256sum | cut -d " " -f 1';
  const key = 'a'.repeat(64);
  expect(content.digest(key)).toBe(execFileSync('sh', ['-c', script, key, 'hush hush']).toString().trim());
});

test('only text that can be distinguished from other text is masked', () => {
  const masked = (bytes: string | Buffer) => new SecretContent(Buffer.from(bytes)).maskable();
  expect([masked('a password\n'), masked(''), masked('yes\n'), masked(Buffer.from([0, 255, 1, 2, 3]))]).toEqual([
    'a password',
    null,
    null,
    null,
  ]);
});

test('variables of secrets, by the name that a source writes', () => {
  expect(secretVariablesIn({ FERRY_SECRET_DB: 'x', FERRY_DEPLOY_KEY: 'y', PATH: '/bin' })).toEqual({ DB: 'x' });
});

test('a kept digest is of one content, place, owner and mode on one host, and needs the signing key', () => {
  const signingKey = 'fleet-1:c2VjcmV0';
  const content = new SecretContent(Buffer.from('0000'));
  const [salt = '', digest = ''] = newDigest({ host: 'web', secret: good, content }, signingKey).split(' ');
  expect([salt, digest]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), expect.stringMatching(/^[0-9a-f]{64}$/)]);
  const kept = { salt, digest, destination: good.destination };
  const same = (more: Partial<Secret> = {}, host = 'web', text = '0000', key = signingKey): boolean | null =>
    isSameDigest(kept, { host, secret: { ...good, ...more }, content: new SecretContent(Buffer.from(text)) }, key);
  expect([same(), same({ action: ['true'], name: 'other' }), same({}, 'web', '0000', `${signingKey}\n`)]).toEqual([
    true,
    true,
    true,
  ]);
  const others = [
    ...[same({ permissions: '0440' }), same({ user: 'daemon' }), same({ group: 'adm' }), same({ destination: '/k' })],
    ...[same({}, 'db'), same({}, 'web', '0001')],
  ];
  expect(others).toEqual(others.map(() => false));
  expect(same({}, 'web', '0000', 'fleet-1:b3RoZXI=')).toBeNull();
  expect(newDigest({ host: 'web', secret: good, content }, signingKey)).not.toBe(`${salt} ${digest}`);
});
