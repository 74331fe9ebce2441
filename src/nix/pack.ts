import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { size } from '../amounts.ts';
import { mapConcurrently } from '../concurrency.ts';
import type { Context } from '../context.ts';
import { CommandError, UserError } from '../errors.ts';
import type { Nix, PathInfo } from './index.ts';

/**
 * zstd's level. On 230 MB of compilers and libraries the sizes are 1.30 times xz's at Nix's default level, 1.27 at 5 and
 * 1.23 at 6, and processor seconds are 2.1, 2.9 and 3.4; 5 would do for most, but not for large compilers (1.30).
 */
const compressionLevel = 6;

/** Store paths in one call of `nix copy`: keeps its arguments far below Linux' limit of 2 MiB. */
const pathsPerCall = 2_000;

/** NAR bytes below which another process costs more than it saves. */
const bytesPerShare = 4 * 1024 * 1024;

/**
 * NAR bytes from which on several threads on one path gain time: zstd gives each of them 8 MiB at a time at this level. On
 * smaller paths Nix's `parallel-compression` costs a quarter more processor time and gains nothing.
 */
const bytesOfLargePath = 16 * 1024 * 1024;

/** A NAR compressed with zstd hardly ever stays above this part of its size; programs come to a third of it. */
const leastRatio = 0.2;

/**
 * Writes `paths` as a binary cache into `directory`, which must be empty or absent, on the file system of the result.
 *
 * Nix itself packs them, in several processes. Since 2.11 it copies paths in parallel, so that one process has the small
 * ones, each compressed by one thread, and another the large ones, each compressed by all threads. Before 2.11 it copies
 * one path after the other; there, as many processes share the paths as there are processors. Each process fills a
 * directory of its own. What a path refers to must be known to the cache it is written to, so each of these directories
 * first gets an entry without a NAR for what other processes pack or what stays out of the archive; these entries are taken
 * away at the end. What is done once for each path is not waited for: with hundreds of small files that takes half the time.
 *
 * @param closure tells about each of `paths` and what they refer to.
 * @param packed called with each path when its packing begins.
 * @throws UserError when the disk is too small.
 */
export async function pack(
  paths: readonly PathInfo[],
  closure: ReadonlyMap<string, PathInfo>,
  directory: string,
  nix: Nix,
  context: Context,
  packed: (path: string) => void = () => undefined,
): Promise<void> {
  await mkdir(join(directory, 'nar'), { recursive: true });
  await checkSpace(paths, directory);
  const parts = partsOf(paths, nix);
  // If one fails, the others end before the caller removes the directory.
  await mapConcurrently(parts, parts.length, async (part, index) => {
    const own = join(directory, `.part-${index}`);
    await packPart(part, closure, own, nix, context, packed);
    await merge(own, directory);
  });
  if (parts.length === 0) await writeFile(join(directory, 'nix-cache-info'), 'StoreDir: /nix/store\n');
}

/** What one process packs. */
interface Part {
  paths: readonly PathInfo[];
  /** Whether all threads work on one path. */
  parallel: boolean;
}

function partsOf(paths: readonly PathInfo[], nix: Nix): Part[] {
  if (!copiesInParallel(nix.installation.version)) {
    return shares(paths, nix.processors).map(share => ({ paths: share, parallel: false }));
  }
  const isLarge = ({ narSize }: PathInfo): boolean => narSize >= bytesOfLargePath;
  const large = { paths: paths.filter(isLarge), parallel: true };
  const small = { paths: paths.filter(path => !isLarge(path)), parallel: false };
  return [large, small].filter(part => part.paths.length > 0);
}

/** Nix's release notes, 2.11: "`nix copy` now copies the store paths in parallel as much as possible (again)". */
function copiesInParallel(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(part => Number.parseInt(part, 10));
  return major > 2 || (major === 2 && minor >= 11);
}

/** Deals out paths to at most `count` shares of about equal NAR size, the largest path first. */
export function shares(paths: readonly PathInfo[], count: number): PathInfo[][] {
  const total = paths.reduce((sum, { narSize }) => sum + narSize, 0);
  const wanted = Math.max(1, Math.min(count, Math.ceil(total / bytesPerShare)));
  const dealt = Array.from({ length: Math.min(wanted, paths.length) }, () => ({ bytes: 0, paths: [] as PathInfo[] }));
  const bySize = [...paths].sort((a, b) => b.narSize - a.narSize || (a.path < b.path ? -1 : 1));
  for (const path of bySize) {
    const least = dealt.reduce((best, share) => (share.bytes < best.bytes ? share : best));
    least.paths.push(path);
    least.bytes += path.narSize;
  }
  return dealt.map(share => share.paths);
}

async function packPart(
  { paths, parallel }: Part,
  closure: ReadonlyMap<string, PathInfo>,
  directory: string,
  nix: Nix,
  context: Context,
  packed: (path: string) => void,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const own = new Set(paths.map(({ path }) => path));
  const others = new Set(paths.flatMap(({ references }) => references).filter(path => !own.has(path)));
  for (const path of others) writeFileSync(join(directory, narInfoName(path)), placeholder(path, closure.get(path)));
  const store = `file://${directory}?compression=zstd&compression-level=${compressionLevel}&parallel-compression=${parallel}`;
  const sorted = referencesFirst(paths);
  for (let first = 0; first < sorted.length; first += pathsPerCall) {
    const some = sorted.slice(first, first + pathsPerCall).map(({ path }) => path);
    const onStderr = (line: string): void => {
      const path = /^copying path '(.*)' to /.exec(line)?.[1];
      if (path !== undefined) packed(path);
    };
    const args = ['copy', '-v', '--no-recursive', '--to', store, ...some];
    await nix.run('nix', args, { onStderr, signal: context.signal }).catch(error => {
      const full = error instanceof CommandError && /no space left on device/i.test(error.stderr);
      throw full ? new UserError('The disk became full while the archives were packed.', { cure: makeRoom }) : error;
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

/** The least that Nix takes for an entry. */
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

const makeRoom = 'Free space, write them elsewhere, or use `archive: delta` or `archive: none`.';

async function checkSpace(paths: readonly PathInfo[], directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const needed = paths.reduce((sum, { narSize }) => sum + narSize, 0) * leastRatio;
  if (free >= needed) return;
  throw new UserError(`${directory} has ${size(free)} free; the archives need at least ${size(needed)} there.`, {
    cure: makeRoom,
  });
}
