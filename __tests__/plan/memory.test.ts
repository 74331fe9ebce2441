import { mkdtempSync, writeFileSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { availableMemory, foldersOf, leftIn, versions } from '../../src/plan/evaluation/memory.ts';

const [second, first] = versions;
const mounts = `22 1 0:20 / /proc rw - proc proc rw
30 22 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
31 22 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu
32 22 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
`;

test('version 2: the cgroup of the process and those that contain it', () => {
  expect(foldersOf(second, '0::/user.slice/job.scope\n', mounts)).toEqual([
    '/sys/fs/cgroup/user.slice/job.scope',
    '/sys/fs/cgroup/user.slice',
    '/sys/fs/cgroup',
  ]);
});

test('version 1: those of the controller memory', () => {
  const cgroups = '5:cpu:/a\n4:memory:/docker/c0ffee\n0::/\n';
  expect(foldersOf(first, cgroups, mounts)).toEqual([
    '/sys/fs/cgroup/memory/docker/c0ffee',
    '/sys/fs/cgroup/memory/docker',
    '/sys/fs/cgroup/memory',
  ]);
});

test.each([
  ['only its own is mounted', '/docker/c0ffee', ['/sys/fs/cgroup/memory']],
  ['its path is that on the machine', '/elsewhere', ['/sys/fs/cgroup/memory']],
])('a container of which %s', (_, root, expected) => {
  const own = mounts.replace('0:28 / ', `0:28 ${root} `);
  expect(foldersOf(first, '4:memory:/docker/c0ffee\n', own)).toEqual(expected);
});

test('there are none', () => {
  expect(foldersOf(second, '', '')).toEqual([]);
  expect(foldersOf(first, '0::/\n', mounts)).toEqual([]);
});

// The testbed has no memory controller of version 2; e2e/plan/memory limits a real cgroup of version 1.
test.each([
  ['a limit', '1000\n', 1000 - 700 + 50 + 150],
  ['no limit', 'max\n', Number.POSITIVE_INFINITY],
])('what is left of %s, with what is only cached', async (_, limit, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'cgroup-'));
  writeFileSync(join(folder, 'memory.max'), limit);
  writeFileSync(join(folder, 'memory.current'), '700\n');
  writeFileSync(join(folder, 'memory.stat'), 'anon 400\ninactive_file 50\nactive_file 150\nshmem 9\n');
  expect(await leftIn(folder, second)).toBe(expected);
});

test('a folder without these files has no limit', async () => {
  expect(await leftIn(mkdtempSync(join(tmpdir(), 'cgroup-')), second)).toBe(Number.POSITIVE_INFINITY);
});

test('the memory of this machine', async () => {
  const available = await availableMemory();
  expect(available).toBeGreaterThan(0);
  expect(available).toBeLessThanOrEqual(freemem() * 2);
});
