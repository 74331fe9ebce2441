import { expect, test } from '@jest/globals';
import { BuildCounts } from '../../src/build/counts.ts';
import type { LogEvent } from '../../src/nix/log.ts';

function after(...events: LogEvent[]): BuildCounts {
  const counts = new BuildCounts();
  for (const event of events) counts.see(event);
  return counts;
}

const start = (name: string): LogEvent => ({
  kind: 'build-start',
  id: 7,
  drvPath: `/nix/store/x-${name}.drv`,
  machine: '',
});
const progress = (id: number, done: number, expected: number): LogEvent => ({ kind: 'progress', id, done, expected });

test('builds: the one that was started last, of those that Nix expects', () => {
  const builds: LogEvent[] = [{ kind: 'builds-start', id: 1 }, progress(1, 0, 1), progress(1, 0, 3)];
  expect(after(...builds, start('a'), start('b')).builds()).toBe('2 of 3');
  // A second call of Nix builds what the first one could not start.
  const second: LogEvent[] = [{ kind: 'builds-start', id: 2 }, progress(2, 0, 2)];
  expect(after(...builds, start('a'), start('b'), start('c'), ...second, start('d')).builds()).toBe('4 of 5');
});

test('a single build has no count', () => {
  expect(after({ kind: 'builds-start', id: 1 }, progress(1, 0, 1), start('a')).builds()).toBeNull();
});

test('progress of other activities is not a count of builds', () => {
  expect(after({ kind: 'builds-start', id: 1 }, progress(9, 0, 40), start('a')).builds()).toBeNull();
});

test('downloads: bytes of all of them, also of those that ended', () => {
  const mebibyte = 1024 * 1024;
  const events: LogEvent[] = [
    { kind: 'download-size', id: 1, bytes: 340 * mebibyte },
    { kind: 'download-start', id: 2 },
    progress(2, 100 * mebibyte, 100 * mebibyte),
    { kind: 'stop', id: 2 },
    { kind: 'download-start', id: 3 },
    progress(3, 20 * mebibyte, 240 * mebibyte),
  ];
  expect(after(...events).downloads()).toBe('120 MiB of 340 MiB');
  expect(after(...events.slice(1)).downloads()).toBe('120 MiB of 340 MiB');
  expect(after().downloads()).toBeNull();
});
