import { expect, test } from '@jest/globals';
import { comparePackages, packageName } from '../../src/preview/packages.ts';

const hash = (letter: string): string => letter.repeat(32);
const path = (name: string, bytes = 1, letter = 'a'): { path: string; bytes: number } => ({
  path: `/nix/store/${hash(letter)}-${name}`,
  bytes,
});

// What `builtins.parseDrvName` answers, with outputs removed.
test.each([
  ['hello-2.12', 'hello', '2.12'],
  ['openssl-3.0.13-bin', 'openssl', '3.0.13'],
  ['glibc-2.38-44-getent', 'glibc', '2.38-44'],
  ['python3.11-requests-2.31.0', 'python3.11-requests', '2.31.0'],
  ['nixos-system-web-24.05.1234.abcdef0', 'nixos-system-web', '24.05.1234.abcdef0'],
  ['foo-1.0-unstable', 'foo', '1.0-unstable'],
  ['foo-unstable-2024-01-01', 'foo-unstable', '2024-01-01'],
  ['gcc-13.2.0-lib32', 'gcc', '13.2.0'],
  ['unit-nginx.service', 'unit-nginx.service', ''],
  ['etc', 'etc', ''],
])('%s is %s, version %j', (full, name, version) => {
  expect(packageName(`/nix/store/${hash('a')}-${full}`)).toEqual({ name, version });
});

test('packages that come, go, are updated and rebuilt', () => {
  const before = [
    path('a-1.0', 10),
    path('a-1.0-lib', 5),
    path('b-1', 7),
    path('c-1', 1),
    path('d-1', 2),
    path('etc', 3),
  ];
  const after = [
    path('a-1.1', 20),
    path('a-1.1-lib', 6),
    path('c-1', 4, 'b'),
    path('d-1', 2),
    path('d-2', 3),
    path('e-1', 9),
  ];
  expect(comparePackages(before, [...after, path('etc', 4, 'b')])).toEqual({
    added: [{ name: 'e', versions: ['1'], bytes: 9 }],
    removed: [{ name: 'b', versions: ['1'], bytes: 7 }],
    updated: [
      { name: 'a', from: ['1.0'], to: ['1.1'], bytes: 11 },
      { name: 'd', from: [], to: ['2'], bytes: 3 },
    ],
    rebuilt: { names: ['c'], bytes: 3 },
    others: { added: 1, removed: 1, bytes: 1 },
    bytes: { before: 28, after: 48 },
  });
});
