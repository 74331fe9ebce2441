import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { Nix } from '../nix/index.ts';
import { narInfoName } from '../nix/pack.ts';
import { signPaths } from '../nix/sign.ts';

/**
 * Makes the manifest a path of the cache, so that Nix protects it like every other path: the name of its entry is derived
 * from its bytes, and the entry carries the signature, which a target checks with `nix store verify` and the keys that it
 * already trusts. Nix accepts a content-addressed path without any signature, so the entry does not say that it is one.
 */
export async function enterManifest(
  directory: string,
  signingKey: string | null,
  nix: Nix,
  context: Context,
): Promise<void> {
  const store = `file://${directory}?compression=none`;
  const { stdout } = await nix.run('nix', ['store', 'add-file', '--store', store, join(directory, 'manifest.json')]);
  const path = stdout.trim();
  const file = join(directory, narInfoName(path));
  await writeFile(file, await entryOf(path, directory, await readFile(file, 'utf8')));
  if (signingKey !== null) await signPaths(directory, [path], signingKey, nix, context);
  // Nix creates these folders in every cache, newer versions more of them; here they are empty.
  for (const folder of ['log', 'realisations', 'build-trace', 'build-trace-v2', 'debuginfo']) {
    await rm(join(directory, folder), { recursive: true, force: true });
  }
}

/**
 * Whether the archive has the entry of the manifest at `path` as it was written. SHA256SUMS cannot cover it, since the
 * entry is derived from the manifest, which contains the hash of SHA256SUMS; and without a signature Nix checks only the
 * NAR's hash.
 */
export async function hasEntry(path: string, directory: string): Promise<boolean> {
  try {
    const entry = await readFile(join(directory, narInfoName(path)), 'utf8');
    return entry.replace(/^Sig: .*\n/gm, '') === (await entryOf(path, directory, entry));
  } catch {
    return false;
  }
}

/** The entry without its signatures. The NAR's hash is copied from `entry`, where Nix checks it. */
async function entryOf(path: string, directory: string, entry: string): Promise<string> {
  const hash = /^NarHash: sha256:([0-9a-z]{52})$/m.exec(entry)?.[1];
  const nar = `nar/${hash}.nar`;
  const { size } = await stat(join(directory, nar));
  return [
    `StorePath: ${path}`,
    `URL: ${nar}`,
    'Compression: none',
    `FileHash: sha256:${hash}`,
    `FileSize: ${size}`,
    `NarHash: sha256:${hash}`,
    `NarSize: ${size}`,
    'References: \n',
  ].join('\n');
}
