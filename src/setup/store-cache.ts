import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachePort, Context } from '../context.ts';
import { explain } from '../errors.ts';
import { inParts } from '../nix/arguments.ts';
import type { Nix, PathInfo } from '../nix/index.ts';
import { narInfoName, pack } from '../nix/pack.ts';
import { publicKeyOf, signPaths } from '../nix/sign.ts';

/** What the entries of the store cache are for. */
export interface CachedFleet {
  hosts: readonly { name: string; system: string; drvPath: string }[];
  /** Text or hash of what pins the sources (flake.lock); null if nothing does. */
  lock: string | null;
}

/** The format of an entry: incremented when older ones can no longer be used. */
const entryFormat = 1;

/**
 * The key of what this fleet builds, and the prefixes to look for if there is no such entry, the most similar first: the
 * same hosts with the same lock, other hosts with it, the same systems.
 */
export function storeCacheKeys({ hosts, lock }: CachedFleet): { key: string; prefixes: string[] } {
  const digest = (...parts: string[]): string =>
    createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  const systems = [...new Set(hosts.map(host => host.system))].sort().join('+');
  const parts = [
    `nix-ferry-store-${entryFormat}-${systems}`,
    digest(lock ?? ''),
    digest(...hosts.map(host => host.name).sort()),
    digest(...hosts.map(host => host.drvPath).sort()),
  ];
  const upTo = (count: number): string => `${parts.slice(0, count).join('-')}-`;
  return { key: parts.join('-'), prefixes: [upTo(3), upTo(2), upTo(1)] };
}

/**
 * Creates an empty cache, so that Nix's settings can refer to it before anything is restored. Its folders are created
 * here because the daemon would create them as root's.
 */
export async function emptyStoreCache(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, 'nar'), { recursive: true });
  await mkdir(join(directory, 'realisations'));
  await writeCacheInfo(directory);
}

/** Its priority is before those of public caches, which are 30 to 50. */
function writeCacheInfo(directory: string): Promise<void> {
  return writeFile(join(directory, 'nix-cache-info'), 'StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 10\n');
}

/**
 * Restores the entry and removes from it what is not signed by one of `trustedKeys`. Nix checks the rest again when it uses
 * it. Never throws: if it fails, it logs a warning and the cache is empty.
 *
 * @returns the key of the entry; null if there is none that can be used.
 */
export async function restoreStoreCache(
  port: CachePort,
  fleet: CachedFleet,
  trustedKeys: readonly string[],
  nix: Nix,
  context: Context,
): Promise<string | null> {
  const { key, prefixes } = storeCacheKeys(fleet);
  try {
    await emptyStoreCache(port.directory);
    const restored = await port.restore(key, prefixes);
    if (restored === null) {
      context.log.info('The store cache has no entry for this fleet.');
      return null;
    }
    await writeCacheInfo(port.directory);
    const entries = await removeUntrusted(port.directory, trustedKeys, nix, context);
    context.log.info(`Restored ${entries} paths from the store cache entry ${restored}.`);
    return entries === 0 ? null : restored;
  } catch (error) {
    context.log.warning(`The store cache is not used: ${explain(error)}`);
    await emptyStoreCache(port.directory).catch(() => undefined);
    return null;
  }
}

/** Removes the paths that none of `trustedKeys` signed. @returns how many are left */
async function removeUntrusted(
  directory: string,
  trustedKeys: readonly string[],
  nix: Nix,
  context: Context,
): Promise<number> {
  const names = (await readdir(directory)).filter(name => name.endsWith('.narinfo'));
  if (names.length === 0) return 0;
  const untrusted = new Set<string>();
  const keys = ['--option', 'trusted-public-keys', trustedKeys.join(' ')];
  // Bits of the exit code: 1 damaged, 2 untrusted, 4 failed (nix store verify).
  await nix.run(
    'nix',
    ['store', 'verify', '--all', '--no-contents', '--sigs-needed', '1', ...keys, '--store', `file://${directory}`],
    {
      allow: [0, 2],
      signal: context.signal,
      onStderr: line => {
        const path = /path '([^']+)' is untrusted/.exec(line)?.[1];
        if (path !== undefined) untrusted.add(narInfoName(path));
      },
    },
  );
  if (untrusted.size > 0) {
    context.log.warning(`Ignoring ${untrusted.size} paths of the store cache that are not signed by a trusted key.`);
    await Promise.all([...untrusted].map(name => rm(join(directory, name))));
  }
  return names.length - untrusted.size;
}

/**
 * Saves what was built and no public cache has, from the toplevels' closures and from everything that was built for them;
 * nothing if the restored entry has all of it. Never throws: if it fails, it logs a warning.
 *
 * @param built the fleet, and the store paths of the toplevels that were built.
 */
export async function writeStoreCache(
  port: CachePort,
  { fleet, toplevels }: { fleet: CachedFleet; toplevels: readonly string[] },
  signingKey: string,
  nix: Nix,
  context: Context,
): Promise<void> {
  const { key } = storeCacheKeys(fleet);
  try {
    const closure = await closureOfBuilt(fleet, toplevels, nix);
    const own = (await publicKeyOf(signingKey, nix)).split(':')[0] ?? '';
    const paths = [...closure.values()].filter(info => !isPublic(info, own));
    const saved = new Set(await readdir(port.directory).catch(() => []));
    if (paths.every(({ path }) => saved.has(narInfoName(path)))) {
      context.log.info('The store cache already has everything that was built.');
      return;
    }
    const directory = join(context.scratch, 'store-cache');
    await pack({ paths, closure, directory }, nix, context);
    const unsigned = paths.map(({ path }) => path);
    await signPaths(directory, unsigned, signingKey, nix, context);
    await writeCacheInfo(directory);
    // The port's directory is part of what identifies the entry.
    await rm(port.directory, { recursive: true, force: true });
    await rename(directory, port.directory);
    if (await port.save(key)) context.log.info(`Saved ${paths.length} paths in the store cache entry ${key}.`);
    else
      context.log.warning(
        `The store cache was not saved. If this entry exists already, delete it: \`gh cache delete ${key}\`.`,
      );
  } catch (error) {
    if (!context.signal.aborted) context.log.warning(`The store cache was not saved: ${explain(error)}`);
  }
}

/** Whether a public cache has the path, which then has a signature by a key other than ours. */
function isPublic(info: PathInfo, own: string): boolean {
  return info.signatures.some(signature => !signature.startsWith(`${own}:`));
}

/** The closure of the toplevels and of every output, of all derivations that the fleet needs, that is in the store. */
async function closureOfBuilt(
  { hosts }: CachedFleet,
  toplevels: readonly string[],
  nix: Nix,
): Promise<Map<string, PathInfo>> {
  const query = async (words: readonly string[], paths: readonly string[]): Promise<string[]> => {
    const found: string[] = [];
    for (const some of inParts(paths)) {
      const { stdout } = await nix.run('nix-store', ['--query', ...words, ...some]);
      for (const path of stdout.split('\n')) if (path !== '') found.push(path);
    }
    return found;
  };
  const required = await query(
    ['--requisites'],
    hosts.map(host => host.drvPath),
  );
  const outputs = await query(
    ['--outputs'],
    required.filter(path => path.endsWith('.drv')),
  );
  const closure = new Map<string, PathInfo>();
  for (const some of inParts([...new Set([...toplevels, ...(await nix.valid(outputs))])])) {
    for (const info of await nix.closure(some)) closure.set(info.path, info);
  }
  return closure;
}
