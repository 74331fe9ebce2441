import { expect, test } from '@jest/globals';
import { chooseInside } from '../../src/archive/inside.ts';
import type { PathInfo } from '../../src/nix/index.ts';

const info = (name: string, rest: Partial<PathInfo> = {}): PathInfo => ({
  path: `/nix/store/${name}`,
  narHash: 'sha256-x',
  narSize: 1,
  references: [],
  signatures: [],
  ultimate: false,
  ...rest,
});
const target = { substituters: ['https://cache.nixos.org'], trustedPublicKeys: ['cache.nixos.org-1:6NCH='] };

test.each<[string, PathInfo, Parameters<typeof chooseInside>[1], Parameters<typeof chooseInside>[2], string | null]>([
  [
    'signed by a trusted cache',
    info('a', { signatures: ['cache.nixos.org-1:sig='] }),
    'delta',
    target,
    'cache.nixos.org-1',
  ],
  ['the same in a full archive', info('a', { signatures: ['cache.nixos.org-1:sig='] }), 'full', target, null],
  ['unsigned', info('a'), 'delta', target, null],
  ['signed by a stranger', info('a', { signatures: ['other-1:sig='] }), 'delta', target, null],
  ['built here and signed', info('a', { signatures: ['cache.nixos.org-1:s='], ultimate: true }), 'delta', target, null],
  ['a target that says nothing', info('a', { signatures: ['cache.nixos.org-1:s='] }), 'delta', null, null],
  [
    'a target without substituters',
    info('a', { signatures: ['cache.nixos.org-1:s='] }),
    'delta',
    { ...target, substituters: [] },
    null,
  ],
])('%s', (_, path, kind, nix, cache) => {
  expect(chooseInside([path], kind, nix)).toMatchObject([{ inside: cache === null, cache }]);
});

test('closures are sorted by path', () => {
  expect(chooseInside([info('b'), info('a')], 'full', null).map(({ path }) => path)).toEqual([
    '/nix/store/a',
    '/nix/store/b',
  ]);
});
