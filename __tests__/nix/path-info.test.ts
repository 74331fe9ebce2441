import { expect, test } from '@jest/globals';
import { parsePathInfo } from '../../src/nix/index.ts';

const info = { narHash: 'sha256-x', narSize: 120, references: ['/nix/store/b'], signatures: ['k:s'], ultimate: true };
const path = '/nix/store/a';

test.each([
  [
    'a list (2.8 to 2.18)',
    [
      { path, valid: true, ...info },
      { path: '/nix/store/gone', valid: false },
    ],
  ],
  ['an object (2.19 and newer)', { [path]: { ca: null, ...info }, '/nix/store/gone': null }],
])('%s', (_, json) => {
  expect(parsePathInfo(JSON.stringify(json))).toEqual([{ path, ...info }]);
});

test('what Nix omits is empty', () => {
  const [only] = parsePathInfo(JSON.stringify([{ path, narHash: 'h', narSize: 1 }]));
  expect(only).toEqual({ path, narHash: 'h', narSize: 1, references: [], signatures: [], ultimate: false });
});
