import { expect, test } from '@jest/globals';
import { WorkRecorder } from '../../src/build/work.ts';

test('builds and fetches with their times; copies to and from builders are no fetches', () => {
  let now = 0;
  const recorder = new WorkRecorder(() => now);
  recorder.see({ kind: 'build-start', id: 1, drvPath: '/nix/store/a-x.drv', machine: '' });
  recorder.see({ kind: 'copy-start', id: 2, path: '/nix/store/b-y', source: 'https://cache' });
  recorder.see({ kind: 'copy-start', id: 3, path: '/nix/store/c-z', source: 'local' });
  recorder.see({ kind: 'copy-start', id: 4, path: '/nix/store/d-z', source: 'ssh://builder' });
  recorder.see({ kind: 'build-start', id: 5, drvPath: '/nix/store/e-v.drv', machine: 'ssh://builder' });
  now = 10;
  for (const id of [1, 2, 3, 4, 9]) recorder.see({ kind: 'stop', id });
  now = 20;
  recorder.see({ kind: 'stop', id: 5 });
  const systems = new Map([
    ['/nix/store/a-x.drv', 'aarch64-linux'],
    ['/nix/store/e-v.drv', 'aarch64-linux'],
  ]);
  const of = (path: string) => ({ path, from: 0, where: null, system: null, emulated: false, failed: false });
  expect(recorder.items(systems, drvPath => drvPath.includes('a-x'), 'x86_64-linux')).toEqual([
    {
      ...of('/nix/store/a-x.drv'),
      ...{ kind: 'built', to: 10, system: 'aarch64-linux', emulated: true, failed: true },
    },
    { ...of('/nix/store/b-y'), kind: 'fetched', to: 10, where: 'https://cache' },
    { ...of('/nix/store/e-v.drv'), kind: 'built', to: 20, where: 'ssh://builder', system: 'aarch64-linux' },
  ]);
});

test.each([
  ['i686-linux', 'x86_64-linux', false],
  ['armv7l-linux', 'aarch64-linux', false],
  ['builtin', 'x86_64-linux', false],
  ['x86_64-linux', 'aarch64-linux', true],
])('a build for %s on %s is emulated: %s', (system, local, emulated) => {
  const recorder = new WorkRecorder(() => 0);
  recorder.see({ kind: 'build-start', id: 1, drvPath: '/nix/store/a-x.drv', machine: '' });
  recorder.see({ kind: 'stop', id: 1 });
  const [item] = recorder.items(new Map([['/nix/store/a-x.drv', system]]), () => false, local);
  expect(item?.emulated).toBe(emulated);
});
