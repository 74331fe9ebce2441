import { expect, test } from '@jest/globals';
import type { Context } from '../../src/context.ts';
import type { Nix } from '../../src/nix/index.ts';
import { changesSincePreview } from '../../src/preview/index.ts';

// What is asked of Nix. Real systems are compared in e2e/action/previewed.

function fake(valid: string[], fetching: () => Promise<never>): { nix: Nix; asked: string[][] } {
  const asked: string[][] = [];
  const nix = {
    valid: async (paths: string[]) => new Set(paths.filter(path => valid.includes(path))),
    run: async (_: string, args: string[]) => {
      asked.push(args);
      return fetching();
    },
    closure: async () => [],
  };
  return { nix: nix as unknown as Nix, asked };
}

const context = { signal: new AbortController().signal, log: { debug: () => undefined } } as unknown as Context;

test('a system that is missing is fetched and never built; one that is not available is left out', async () => {
  const { nix, asked } = fake(['/nix/store/b', '/nix/store/c'], () => Promise.reject(new Error('no substituter')));
  const differing = [
    { host: 'web', previewed: '/nix/store/a', built: '/nix/store/b' },
    { host: 'db', previewed: '/nix/store/evil.drv', built: '/nix/store/b' },
    { host: 'pi', previewed: '/nix/store/c', built: '/nix/store/b' },
  ];
  expect(Object.keys(await changesSincePreview(differing, nix, context))).toEqual(['pi']);
  expect(asked).toEqual([['--realise', '--keep-going', '/nix/store/a']]);
});

test('nothing is asked if nothing differs or everything is in the store', async () => {
  const { nix, asked } = fake(['/nix/store/a', '/nix/store/b'], () => Promise.reject(new Error('asked')));
  expect(await changesSincePreview([], nix, context)).toEqual({});
  const differing = [{ host: 'web', previewed: '/nix/store/a', built: '/nix/store/b' }];
  expect(await changesSincePreview(differing, nix, context)).toMatchObject({ web: { before: '/nix/store/a' } });
  expect(asked).toEqual([]);
});
