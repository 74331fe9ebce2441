import { expect, test } from '@jest/globals';
import { equalShares, narInfoName } from '../../src/nix/pack.ts';

const info = (path: string, narSize: number) => ({
  path,
  narSize,
  narHash: '',
  references: [],
  signatures: [],
  ultimate: true,
});
const MB = 1024 * 1024;

test('shares are about equal and contain every path', () => {
  const paths = [50, 40, 30, 30, 20, 10, 10, 10].map((size, index) => info(`/nix/store/${index}`, size * MB));
  const dealt = equalShares(paths, 4);
  expect(dealt.map(share => share.reduce((sum, { narSize }) => sum + narSize, 0) / MB)).toEqual([50, 50, 50, 50]);
  expect(
    dealt
      .flat()
      .map(({ path }) => path)
      .sort(),
  ).toEqual(paths.map(({ path }) => path).sort());
});

test('a small amount of work is one share', () => {
  expect(equalShares([info('/nix/store/a', 1000), info('/nix/store/b', 1000)], 8)).toHaveLength(1);
  expect(equalShares([], 8)).toEqual([]);
});

test("an entry is named by its path's hash", () => {
  expect(narInfoName('/nix/store/0c2y0wpmmbn3n0xcl7wjkzlyfl90xp4x-glibc-2.40')).toBe(
    '0c2y0wpmmbn3n0xcl7wjkzlyfl90xp4x.narinfo',
  );
});
