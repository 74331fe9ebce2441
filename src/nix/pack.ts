import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { size } from '../amounts.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import { inParts } from './arguments.ts';
import type { Nix, PathInfo } from './index.ts';
import { compareVersions } from './version.ts';

/**
 * zstd's level. For 230 MB of compilers and libraries, the sizes at levels 5 and 6 are 1.27 and 1.23 times those of xz
 * (1.30 at Nix's default level), for 2.9 and 3.4 seconds of processor time (2.1). Level 5 is enough for most closures, but
 * not for large compilers (1.30).
 */
const compressionLevel = 6;

/** NAR bytes below which another process costs more than it saves. */
const bytesPerShare = 4 * 1024 * 1024;

/**
 * NAR bytes from which several threads compress one path faster: at this level, zstd gives each of them 8 MiB at a time. On
 * smaller paths Nix's `parallel-compression` takes a quarter more processor time and gains nothing.
 */
const bytesOfLargePath = 16 * 1024 * 1024;

/** A NAR compressed with zstd is rarely smaller than this part of its size; programs come to a third of it. */
const leastRatio = 0.2;

/** What to pack. */
export interface Packing {
  paths: readonly PathInfo[];
  /** Describes each of `paths` and the paths that they refer to. */
  closure: ReadonlyMap<string, PathInfo>;
  /** Empty or absent, on the file system of the result. */
  directory: string;
  /** Called with each path when its packing starts. */
  onPath?: (path: string) => void;
}

/**
 * Writes paths as a binary cache into a directory.
 *
 * Nix itself packs them, in several processes. Nix 2.11 and newer copies paths in parallel, so one process packs the small
 * paths, each compressed by one thread, and another the large paths, each compressed by all threads. Older versions copy
 * one path after the other, so there are as many processes as processors, and they share the paths. Each process fills a
 * directory of its own. A binary cache must know what its paths refer to, so each directory first gets an entry without a
 * NAR for what other processes pack and for what is not packed; these entries are removed at the end.
 *
 * What is done once per path is synchronous: with hundreds of small files that takes half the time.
 *
 * @throws UserError if the disk has too little space.
 */
export async function pack(packing: Packing, nix: Nix, context: Context): Promise<void> {
  const { paths, directory } = packing;
  await mkdir(join(directory, 'nar'), { recursive: true });
  await checkSpace(paths, directory);
  const shares = sharesOf(paths, nix);
  // If one fails, the others end before the caller removes the directory.
  await mapConcurrently(shares, shares.length, async (share, index) => {
    const own = join(directory, `.part-${index}`);
    await packShare(share, { ...packing, directory: own }, nix, context);
    await merge(own, directory);
  });
  if (shares.length === 0) await writeFile(join(directory, 'nix-cache-info'), 'StoreDir: /nix/store\n');
}

/** What one process packs. */
interface Share {
  paths: readonly PathInfo[];
  /** Whether all threads compress the same path. */
  parallel: boolean;
}

function sharesOf(paths: readonly PathInfo[], nix: Nix): Share[] {
  // Nix's release notes, 2.11: "`nix copy` now copies the store paths in parallel as much as possible (again)".
  if (compareVersions(nix.installation.version, '2.11') < 0) {
    return equalShares(paths, nix.processors).map(share => ({ paths: share, parallel: false }));
  }
  const isLarge = ({ narSize }: PathInfo): boolean => narSize >= bytesOfLargePath;
  const large = { paths: paths.filter(isLarge), parallel: true };
  const small = { paths: paths.filter(path => !isLarge(path)), parallel: false };
  return [large, small].filter(share => share.paths.length > 0);
}

/** Distributes paths over at most `count` shares of about equal NAR size, starting with the largest path. */
export function equalShares(paths: readonly PathInfo[], count: number): PathInfo[][] {
  const total = paths.reduce((sum, { narSize }) => sum + narSize, 0);
  const wanted = Math.max(1, Math.min(count, Math.ceil(total / bytesPerShare)));
  const shares = Array.from({ length: Math.min(wanted, paths.length) }, () => ({ bytes: 0, paths: [] as PathInfo[] }));
  const bySize = [...paths].sort((a, b) => b.narSize - a.narSize || (a.path < b.path ? -1 : 1));
  for (const path of bySize) {
    const least = shares.reduce((best, share) => (share.bytes < best.bytes ? share : best));
    least.paths.push(path);
    least.bytes += path.narSize;
  }
  return shares.map(share => share.paths);
}

async function packShare(
  { paths, parallel }: Share,
  { closure, directory, onPath }: Packing,
  nix: Nix,
  context: Context,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const own = new Set(paths.map(({ path }) => path));
  const others = new Set(paths.flatMap(({ references }) => references).filter(path => !own.has(path)));
  for (const path of others) writeFileSync(join(directory, narInfoName(path)), placeholder(path, closure.get(path)));
  const store = `file://${directory}?compression=zstd&compression-level=${compressionLevel}&parallel-compression=${parallel}`;
  const onStderr = (line: string): void => {
    const path = /^copying path '(.*)' to /.exec(line)?.[1];
    if (path !== undefined) onPath?.(path);
  };
  for (const some of inParts(referencesFirst(paths).map(({ path }) => path))) {
    const args = ['copy', '-v', '--no-recursive', '--to', store, ...some];
    await nix.run('nix', args, { onStderr, signal: context.signal }).catch(error => {
      const full = error instanceof CommandError && /no space left on device/i.test(error.stderr);
      throw full ? new UserError('The disk became full while archives were packed.', { cure: freeSpace }) : error;
    });
  }
  for (const path of others) unlinkSync(join(directory, narInfoName(path)));
}

/** So that each call of `nix copy` finds what its paths refer to. */
function referencesFirst(paths: readonly PathInfo[]): PathInfo[] {
  const byPath = new Map(paths.map(info => [info.path, info]));
  const sorted = new Set<PathInfo>();
  const visiting = new Set<PathInfo>();
  const visit = (info: PathInfo): void => {
    if (sorted.has(info) || visiting.has(info)) return;
    visiting.add(info);
    for (const path of info.references) {
      const reference = byPath.get(path);
      if (reference !== undefined) visit(reference);
    }
    sorted.add(info);
  };
  for (const info of paths) visit(info);
  return [...sorted];
}

/** The name of a path's entry in a binary cache: the hash part of the path. */
export function narInfoName(path: string): string {
  return `${basename(path).slice(0, 32)}.narinfo`;
}

/** The shortest entry that Nix accepts. */
function placeholder(path: string, info: PathInfo | undefined): string {
  if (info === undefined) throw new Error(`${path} is referred to but not in the closure`);
  return `StorePath: ${path}\nURL: nar/absent\nCompression: none\nNarHash: ${info.narHash}\nNarSize: ${info.narSize}\nReferences: \n`;
}

async function merge(from: string, to: string): Promise<void> {
  const entries = (await readdir(from)).filter(name => name.endsWith('.narinfo') || name === 'nix-cache-info');
  const nars = (await readdir(join(from, 'nar'))).map(name => join('nar', name));
  for (const name of [...nars, ...entries]) renameSync(join(from, name), join(to, name));
  await rm(from, { recursive: true });
}

const freeSpace = 'Free space, write them elsewhere, or use `archive: delta` or `archive: none`.';

async function checkSpace(paths: readonly PathInfo[], directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const needed = paths.reduce((sum, { narSize }) => sum + narSize, 0) * leastRatio;
  if (free >= needed) return;
  throw new UserError(`${directory} has ${size(free)} free; the archives need at least ${size(needed)} there.`, {
    cure: freeSpace,
  });
}
