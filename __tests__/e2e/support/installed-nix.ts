import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { exec } from '../../../src/exec.ts';
import { root } from './machine.ts';
import type { NixVersion } from './runner.ts';

/** The Nix of the testbed for this process: the directory of its programs, and its full version. */
export async function installedNix(version: NixVersion): Promise<{ bin: string; version: string }> {
  // It looks for its libraries there.
  const installed = `/opt/nix/${version}`;
  await mkdir('/opt/nix', { recursive: true });
  if (!existsSync(installed)) await symlink(root(`nix-${version}`), installed);
  const bin = join(installed, 'bin');
  const { stdout } = await exec(join(bin, 'nix'), ['--version']);
  return { bin, version: stdout.trim().split(' ').at(-1) ?? '' };
}
