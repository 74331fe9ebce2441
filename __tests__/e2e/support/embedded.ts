import { chmod, cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../../src/exec.ts';
import { repository, root } from './machine.ts';

const architectures = { 'x86_64-linux': 'amd64', 'aarch64-linux': 'arm64' } as const;

/**
 * Copies `examples/embedded` and adds the busyboxes that build it, from packages of the testbed. Fleets of other formats
 * find their nixpkgs in its folder `nixpkgs`. Git ignores the busyboxes: add them with `git add --force`.
 */
export async function embeddedFleet(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'embedded-'));
  // Users of other machines read it.
  await chmod(directory, 0o755);
  await cp(join(repository, 'examples/embedded'), directory, { recursive: true });
  const packages = join(root('runner'), 'var/local/apt');
  const files = await readdir(packages);
  for (const [system, architecture] of Object.entries(architectures)) {
    const name = files.find(file => file.startsWith('busybox-static_') && file.endsWith(`_${architecture}.deb`));
    if (name === undefined) throw new Error(`the testbed has no busybox-static for ${architecture}`);
    const unpacked = join(directory, `.${system}`);
    await exec('dpkg-deb', ['--extract', join(packages, name), unpacked]);
    await mkdir(join(directory, 'nixpkgs/bootstrap', system), { recursive: true });
    await cp(join(unpacked, 'usr/bin/busybox'), join(directory, 'nixpkgs/bootstrap', system, 'busybox'));
    await rm(unpacked, { recursive: true });
  }
  return directory;
}
