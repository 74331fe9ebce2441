import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { archiveAlone, closureOf, copyToCache, programs } from '../support/archive-size.ts';
import { Stores } from '../support/archive-stores.ts';

// What archives cost in memory, processes and bytes; how long they take is measured by `npm run bench`.

// The newest Nix under test copies paths in parallel, the oldest does not.
const versions = ['2.34', '2.8'] as const;
const stores = new Map<string, Stores>();
beforeAll(async () => {
  for (const version of versions) stores.set(version, await Stores.create(version));
});
afterAll(async () => {
  for (const one of stores.values()) await one.remove();
});

test('2,000 paths and 2 GB are packed by one `nix copy` for each 2,000 paths, with less than 300 MB of memory', async () => {
  const own = stores.get('2.34') as Stores;
  const nix = await own.newStore();
  const directory = await mkdtemp(join(own.scratch, 'files-'));
  const random = await open('/dev/urandom');
  const block = Buffer.alloc(1024 * 1024);
  await random.read(block, 0, block.length);
  await random.close();
  const files: string[] = [];
  for (let n = 0; n < 2000; n++) {
    block.writeUInt32LE(n);
    const file = join(directory, `file-${n}`);
    await writeFile(file, block);
    files.push(file);
  }
  const toplevel = await closureOf(nix, files, own.scratch);
  await rm(directory, { recursive: true });
  const { archives, megabytes, started } = await archiveAlone(nix, toplevel, join(own.scratch, 'large'));
  expect(archives[0]).toMatchObject({ paths: 2001 });
  expect(archives[0]?.closureBytes).toBeGreaterThan(2000 * 1024 * 1024);
  expect(megabytes).toBeLessThan(300);
  expect(started.filter(command => command === 'nix copy')).toHaveLength(2);
  await rm(join(own.scratch, 'large'), { recursive: true });
});

test.each(versions)(
  'programs, with Nix %s: hardly larger than with xz, packed by a process each processor',
  async version => {
    const own = stores.get(version) as Stores;
    const nix = await own.newStore();
    // Some of them: xz takes long.
    const some = (await programs()).sort().filter((_, index) => index % 8 === 0);
    const toplevel = await closureOf(nix, some, own.scratch);
    const { archives, started } = await archiveAlone(nix, toplevel, join(own.scratch, 'ours'));
    const xz = await copyToCache(nix, toplevel, '', own.scratch);
    expect(archives[0]?.paths).toBe(some.length + 1);
    expect((archives[0]?.bytes ?? Number.NaN) / xz).toBeLessThan(1.27);
    const copies = started.filter(command => command === 'nix copy').length;
    // One for the small paths, one for those that all processors compress together; or one for each processor.
    expect(copies).toBeLessThanOrEqual(version === '2.34' ? 2 : availableParallelism());
  },
);
