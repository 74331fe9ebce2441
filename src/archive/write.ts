import { createHash } from 'node:crypto';
import { existsSync, linkSync, readFileSync, statSync } from 'node:fs';
import { chmod, link, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { activationScript } from '../activation-script.ts';
import { asset } from '../assets.ts';
import type { Context } from '../context.ts';
import type { Nix } from '../nix/index.ts';
import { narInfoName } from '../nix/pack.ts';
import { type Archive, type ArchiveConfig, archiveName, type Manifest } from './archive.ts';
import { archiveOf, writeManifest } from './manifest.ts';
import { enterManifest } from './manifest-entry.ts';

/**
 * Creates one host's folder from the pool, completely or not at all.
 *
 * @param pool a binary cache, on the same file system, with every path that is inside the archive.
 */
export async function write(
  manifest: Manifest,
  pool: string,
  config: ArchiveConfig,
  nix: Nix,
  context: Context,
): Promise<Archive> {
  const directory = join(config.directory, archiveName(manifest.host));
  const partial = `${directory}.part`;
  await rm(partial, { recursive: true, force: true });
  try {
    await fill(partial, manifest, pool);
    await enterManifest(partial, config.signingKey, nix, context);
    await rm(directory, { recursive: true, force: true });
    await rename(partial, directory);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return archiveOf(manifest, directory, await sizeOf(directory));
}

/** Everything but the manifest's entry in the cache, which needs Nix. */
async function fill(partial: string, manifest: Manifest, pool: string): Promise<void> {
  await mkdir(join(partial, 'nar'), { recursive: true });
  await link(join(pool, 'nix-cache-info'), join(partial, 'nix-cache-info'));
  linkPaths(manifest, pool, partial);
  await writeFile(join(partial, 'README'), readme(manifest));
  for (const [name, script] of Object.entries(scripts())) {
    await writeFile(join(partial, name), script);
    await chmod(join(partial, name), 0o755);
  }
  const sums = await sumsOf(partial);
  await writeFile(join(partial, 'SHA256SUMS'), sums);
  const summed = { ...manifest, sums: `sha256:${createHash('sha256').update(sums).digest('hex')}` };
  await writeFile(join(partial, 'manifest.json'), writeManifest(summed));
}

/** Synchronous, as in nix/pack.ts. */
function linkPaths({ paths }: Manifest, pool: string, directory: string): void {
  for (const { path, inside } of paths) {
    if (!inside) continue;
    const entry = narInfoName(path);
    const nar = /^URL: (\S+)$/m.exec(readFileSync(join(pool, entry), 'utf8'))?.[1];
    if (nar === undefined) throw new Error(`Nix wrote no URL into ${entry} for ${path}`);
    linkSync(join(pool, entry), join(directory, entry));
    // Paths with the same content share a NAR.
    if (!existsSync(join(directory, nar))) linkSync(join(pool, nar), join(directory, nar));
  }
}

/** Our scripts in an archive: their names there, and their texts. */
function scripts(): Record<string, string> {
  return { install: readFileSync(asset('target/install.sh'), 'utf8'), 'activate.sh': activationScript() };
}

/** What `sha256sum` prints for all files except NARs, whose hashes are in their entries. */
async function sumsOf(directory: string): Promise<string> {
  const names = (await filesOf(directory))
    .map(file => relative(directory, file))
    .filter(name => !name.startsWith('nar/'));
  const lines = names.map(name => {
    const sum = createHash('sha256').update(readFileSync(join(directory, name)));
    return `${sum.digest('hex')}  ${name}\n`;
  });
  return lines.join('');
}

/** Every file below `directory`, absolute, sorted. */
export async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort();
}

/** Bytes of all files below `directory`. */
export async function sizeOf(directory: string): Promise<number> {
  return (await filesOf(directory)).reduce((sum, file) => sum + statSync(file).size, 0);
}

function readme({ kind, host, system, publicKey, source, paths }: Manifest): string {
  const inside = paths.filter(path => path.inside).length;
  const check = publicKey === null ? ' --no-check-sigs' : '';
  return [
    `The system of ${host} (${system}), as a binary cache of Nix, made by Nix Ferry.`,
    kind === 'full'
      ? `It contains the whole closure (${paths.length} paths) and can be installed without a network.`
      : `It contains ${inside} of ${paths.length} paths; the machine fetches the others from the caches that it trusts.`,
    'On the machine, in this folder, as root:',
    `  sh install --dry-run${check}   checks everything and changes nothing`,
    `  sh install switch${check}      imports it, activates it and makes it the boot default`,
    '  (also: boot, test, dry-activate)',
    publicKey === null
      ? 'It is not signed: install it only if you trust its origin.'
      : `It is signed: the machine must trust ${publicKey} (nix.settings.trusted-public-keys).`,
    'manifest.json lists every path with its hash, and the commit that it was built from.',
    ...(source === null ? [] : ['It includes the configuration, which is linked to /etc/nixos/current-configuration.']),
    '',
  ].join('\n');
}
