import { expect, test } from '@jest/globals';
import { derivationsIn } from '../../src/nix/derivation.ts';
import { compareVersions } from '../../src/nix/version.ts';
import { nixVersion } from '../../src/setup/find.ts';
import { parseVersion } from '../../src/setup/release.ts';
import { storeCacheKeys } from '../../src/setup/store-cache.ts';

test.each([
  ['nix (Nix) 2.8.0\n', '2.8.0'],
  ['nix (Lix, like Nix) 2.91.1\n', '2.91.1'],
  ['nix (Determinate Nix 3.8.5) 2.30.1\n', '2.30.1'],
])('version of %j', async (stdout, version) => {
  const context = { exec: async () => ({ code: 0, stdout, stderr: '' }) } as never;
  expect(await nixVersion(context, 'nix')).toBe(version);
});

test('versions are compared by number', () => {
  expect(['2.18.1', '2.8', '2.34', '2.11pre1', '2.8.0'].sort(compareVersions)).toEqual([
    '2.8',
    '2.8.0',
    '2.11pre1',
    '2.18.1',
    '2.34',
  ]);
  expect(compareVersions('2.11pre1', '2.11')).toBe(0);
});

test('nix-version', () => {
  const hash = 'a'.repeat(64);
  expect(parseVersion(null)).toEqual({ version: null, sha256: null, systemOnly: false });
  expect(parseVersion('system').systemOnly).toBe(true);
  expect(parseVersion(`2.34.4@sha256:${hash}`)).toEqual({ version: '2.34.4', sha256: hash, systemOnly: false });
  for (const wrong of ['latest', '2', '2.34.4@sha256:abc', '2.34.4/../x', `2.34.4@md5:${hash}`]) {
    expect(() => parseVersion(wrong)).toThrow(`input 'nix-version': '${wrong}' is not a version.`);
  }
});

test('derivations as Nix 2.8 and newer versions show them', () => {
  expect(derivationsIn('{"/nix/store/a.drv":{"system":"x86_64-linux"}}')[0]?.[0]).toBe('/nix/store/a.drv');
  const current = '{"derivations":{"a.drv":{"system":"aarch64-linux"}},"version":4}';
  expect(derivationsIn(current)).toEqual([['/nix/store/a.drv', { system: 'aarch64-linux' }]]);
});

test('keys of the store cache: the most similar entry first', () => {
  const fleet = (drvPath: string, name = 'web', lock = 'l') => ({
    hosts: [{ name, system: 'x86_64-linux', drvPath }],
    lock,
  });
  const { key, prefixes } = storeCacheKeys(fleet('/nix/store/a.drv'));
  expect(prefixes.every(prefix => key.startsWith(prefix))).toBe(true);
  const shared = (other: string): boolean[] => prefixes.map(prefix => other.startsWith(prefix));
  expect(shared(storeCacheKeys(fleet('/nix/store/b.drv')).key)).toEqual([true, true, true]);
  expect(shared(storeCacheKeys(fleet('/nix/store/b.drv', 'db')).key)).toEqual([false, true, true]);
  expect(shared(storeCacheKeys(fleet('/nix/store/b.drv', 'db', 'm')).key)).toEqual([false, false, true]);
});
