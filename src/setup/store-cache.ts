import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CachePort, Context } from '../context.ts';
import { explain } from '../errors.ts';
import { Nix, type NixInstallation, type PathInfo } from '../nix/index.ts';
import { narInfoName, pack } from '../nix/pack.ts';
import { publicKeyOf, signPaths } from '../nix/sign.ts';

/** What the store cache is kept for. */
export interface CachedFleet {
  hosts: readonly { name: string; system: string; drvPath: string }[];
  /** Text or hash of what pins the sources (flake.lock); null where nothing does. */
  lock: string | null;
}

/** The shape of an entry: raised when an older one would not do any more. */
const shape = 1;

/**
 * The key of what this fleet builds, and where to look when there is no such entry, the likest first: the same hosts from
 * the same lock, other hosts from it, the same systems.
 */
export function storeCacheKeys({ hosts, lock }: CachedFleet): { key: string; prefixes: string[] } {
  const digest = (...parts: string[]): string =>
    createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  const systems = [...new Set(hosts.map(host => host.system))].sort().join('+');
  const parts = [
    `nix-ferry-store-${shape}-${systems}`,
    digest(lock ?? ''),
    digest(...hosts.map(host => host.name).sort()),
    digest(...hosts.map(host => host.drvPath).sort()),
  ];
  const upTo = (count: number): string => `${parts.slice(0, count).join('-')}-`;
  return { key: parts.join('-'), prefixes: [upTo(3), upTo(2), upTo(1)] };
}

/**
 * An empty cache in the port's directory, so that Nix may be told of it before anything is restored. Its folders are made
 * here, because the daemon would make those it misses, as root's.
 */
export async function emptyStoreCache(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(join(directory, 'nar'), { recursive: true });
  await mkdir(join(directory, 'realisations'));
  await describe(directory);
}

/** Asked before the caches of the network, whose priorities are 30 to 50. */
function describe(directory: string): Promise<void> {
  return writeFile(join(directory, 'nix-cache-info'), 'StoreDir: /nix/store\nWantMassQuery: 1\nPriority: 10\n');
}

/**
 * Brings the entry back, and takes out of it what no key of `trustedKeys` signed. What is left Nix checks again when it
 * uses it. Never throws: trouble is a warning, and the cache is then empty.
 *
 * @returns the key of the entry; null when there is none that can be used.
 */
export async function restoreStoreCache(
  port: CachePort,
  fleet: CachedFleet,
  trustedKeys: readonly string[],
  installation: NixInstallation,
  context: Context,
): Promise<string | null> {
  const { key, prefixes } = storeCacheKeys(fleet);
  try {
    await emptyStoreCache(port.directory);
    const found = await port.restore(key, prefixes);
    if (found === null) {
      context.log.info('The store cache gives no entry for this fleet.');
      return null;
    }
    await describe(port.directory);
    const entries = await verified(port.directory, trustedKeys, installation, context);
    context.log.info(`Restored ${entries} paths from the store cache, ${found}.`);
    return entries === 0 ? null : found;
  } catch (error) {
    context.log.warning(`The store cache is not used: ${explain(error)}`);
    await emptyStoreCache(port.directory).catch(() => undefined);
    return null;
  }
}

/** How many entries are signed as they should be; the others are removed. */
async function verified(
  directory: string,
  trustedKeys: readonly string[],
  installation: NixInstallation,
  context: Context,
): Promise<number> {
  const names = (await readdir(directory)).filter(name => name.endsWith('.narinfo'));
  if (names.length === 0) return 0;
  const nix = new Nix(context, installation);
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
    context.log.warning(
      `The store cache holds ${untrusted.size} paths without a signature that is trusted here: they are ignored.`,
    );
    await Promise.all([...untrusted].map(name => rm(join(directory, name))));
  }
  return names.length - untrusted.size;
}

/**
 * Saves what was built and no public cache has: of the toplevels' closures, and of all that was built on the way to
 * them; nothing where the entry that was restored holds it all. Never throws: trouble is a warning.
 *
 * @param toplevels store paths that were built.
 */
export async function writeStoreCache(
  port: CachePort,
  fleet: CachedFleet,
  toplevels: readonly string[],
  signingKey: string,
  installation: NixInstallation,
  context: Context,
): Promise<void> {
  const nix = new Nix(context, installation);
  const { key } = storeCacheKeys(fleet);
  try {
    const own = (await publicKeyOf(signingKey, nix)).split(':')[0] ?? '';
    const outputs = await builtOutputs(fleet, nix);
    const infos = await inParts([...new Set([...toplevels, ...outputs])], paths => nix.closure(paths));
    const closure = new Map(infos.map(info => [info.path, info]));
    const lacking = [...closure.values()].filter(info => !isPublic(info, own));
    const kept = new Set(await readdir(port.directory).catch(() => []));
    if (lacking.every(info => kept.has(narInfoName(info.path)))) {
      context.log.info('Nothing was built that the store cache has not.');
      return;
    }
    const directory = join(context.scratch, 'store-cache');
    await pack(lacking, closure, directory, nix, context);
    const paths = lacking.map(info => info.path);
    await signPaths(directory, paths, signingKey, nix, context);
    await describe(directory);
    // The port's directory is part of what identifies the entry.
    await rm(port.directory, { recursive: true, force: true });
    await rename(directory, port.directory);
    if (await port.save(key)) context.log.info(`Saved ${lacking.length} paths in the store cache, ${key}.`);
    else context.log.warning(`The store cache is not saved. If it has an entry already: \`gh cache delete ${key}\`.`);
  } catch (error) {
    if (!context.signal.aborted) context.log.warning(`The store cache is not saved: ${explain(error)}`);
  }
}

/** Whether a public cache has it: then it carries that cache's signature. Ours is none. */
function isPublic(info: PathInfo, own: string): boolean {
  return info.signatures.some(signature => !signature.startsWith(`${own}:`));
}

/** What is here of the outputs of all derivations that the fleet is made of. */
async function builtOutputs(fleet: CachedFleet, nix: Nix): Promise<string[]> {
  const query = async (words: readonly string[], paths: readonly string[]): Promise<string[]> => {
    const { stdout } = await nix.run('nix-store', ['--query', ...words, ...paths]);
    return stdout.split('\n').filter(path => path !== '');
  };
  const toplevels = fleet.hosts.map(host => host.drvPath);
  const drvPaths = (await query(['--requisites'], toplevels)).filter(path => path.endsWith('.drv'));
  const outputs = await inParts(drvPaths, paths => query(['--outputs'], paths));
  return inParts(outputs, async paths => [...(await nix.valid(paths))]);
}

/** An argument list takes 2 MiB at most. */
async function inParts<T>(all: readonly string[], ask: (some: readonly string[]) => Promise<T[]>): Promise<T[]> {
  const answers: T[] = [];
  for (let at = 0; at < all.length; at += 2_000) answers.push(...(await ask(all.slice(at, at + 2_000))));
  return answers;
}
