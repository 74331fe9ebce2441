import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Context, Query } from '../context.ts';
import { CommandError } from '../errors.ts';
import type { Nix } from '../nix/index.ts';
import { nixFolder } from './adapter.ts';
import type { PlanConfig } from './config.ts';
import type { Repository } from './git.ts';
import { type Knowledge, readKnowledge, textOf } from './knowledge.ts';
import { type Evidence, ownFiles } from './pins.ts';
import { reachesOut, readsMachine } from './scan.ts';
import { sharedShelf } from './shared.ts';

/** Where the plans of earlier runs are kept for this source in this state. */
export interface PlanCache {
  read(): Promise<Knowledge | null>;
  /** Keeps what was learnt, unless it came from more than the name of this state tells. */
  write(knowledge: Knowledge, evidence: Evidence): Promise<void>;
}

/** Keeps plans by name. */
export interface Shelf {
  /** The plan of the first of these names that there is one of. */
  read(names: readonly string[]): Promise<Knowledge | null>;
  write(name: string, knowledge: Knowledge): Promise<void>;
}

/** What a flake may know of its commit besides its files. */
const knowsCommit = '\\b(rev|shortRev|dirtyRev|revCount|lastModified|lastModifiedDate|sourceInfo)\\b';

/**
 * The cache for a source; null when its state has no name: outside Git, with changes, or without a place to keep it.
 *
 * The name is of all that an answer comes from: the files of the source (Git's tree; the whole repository's where files
 * outside the source may have been read), our adapters, the version of Nix, the kind of machine, and how the source is asked.
 */
export async function planCache(
  config: PlanConfig,
  repository: Repository | null,
  nix: Nix,
  context: Context,
): Promise<PlanCache | null> {
  const place = config.planCache;
  if (place === null || repository === null || repository.dirty || repository.commit === null) return null;
  const { root, commit } = repository;
  const git = gitIn(root, context.query);
  const folder = relative(root, resolve(config.source));
  const [trees, named, links, hidden] = await Promise.all([
    git('rev-parse', `${commit}:${folder === '' ? '' : folder}`, `${commit}:`),
    git('grep', '-qE', knowsCommit, commit, '--', '*.nix'),
    git('ls-files', '-s', '--', config.source),
    namesHidden(commit, git),
  ]);
  if (trees === null || links === null || hidden) return null;
  const [sourceTree, rootTree] = trees.trim().split('\n');
  const hasLinks = /^120000 /m.test(links);
  const asked = JSON.stringify([
    'plan 2',
    nix.installation.version,
    await adaptersDigest(),
    arch(),
    folder,
    config.format,
    config.attribute,
    config.files ?? [],
    config.arguments ?? {},
    config.nixpkgs,
    config.nixpkgsPin,
    config.system,
    // In a flake that asks for its commit, every commit is another one.
    named === null ? null : commit,
  ]);
  const nameOf = (scope: string, tree: string | undefined): string =>
    createHash('sha256').update(`${scope} ${tree} ${asked}`).digest('hex');
  const names = { source: nameOf('source', sourceTree), repository: nameOf('repository', rootTree) };
  const shelf = typeof place === 'string' ? directoryShelf(place) : sharedShelf(place, nix, context);

  return {
    read: () => shelf.read([names.source, names.repository]),
    async write(knowledge, evidence) {
      if (config.nixpkgsPin === 'warn' || readsOther(evidence)) return;
      const own = ownFiles(evidence);
      // What Git does not know of has no part in the name.
      const tracked = new Set(((await git('ls-files', '-z')) ?? '').split('\0'));
      if (own.some(path => !tracked.has(path))) return;
      const texts = await Promise.all(own.map(path => readFile(join(root, path), 'utf8')));
      if (texts.some(readsMachine)) return;
      const within =
        folder === '' ||
        (!hasLinks &&
          own.every((path, index) => {
            const inside = relative(folder, dirname(path)).split('/').filter(Boolean);
            return inside[0] !== '..' && !reachesOut(texts[index] ?? '', inside.length);
          }));
      await shelf.write(within ? names.source : names.repository, knowledge);
    },
  };
}

type Git = (...args: string[]) => Promise<string | null>;

/** What Git prints; null when it fails, as `git grep` does when it finds nothing. */
function gitIn(root: string, query: Query): Git {
  return async (...args) => {
    try {
      return (await query('git', ['-C', root, ...args])).stdout;
    } catch (error) {
      if (error instanceof CommandError) return null;
      throw error;
    }
  };
}

/** Whether the repository's Nix files name a path that lies there and that Git does not know of. */
async function namesHidden(commit: string, git: Git): Promise<boolean> {
  const others = ((await git('ls-files', '--others', '--directory', '-z')) ?? '').split('\0').filter(Boolean);
  // As the end of a path, which is how Nix writes one.
  const words = others.flatMap(path => ['-e', `/${basename(path)}`]);
  return words.length > 0 && (await git('grep', '-qF', ...words, commit, '--', '*.nix')) !== null;
}

/** Whether files were evaluated that lie neither in the repository nor in the store, nor are ours. */
function readsOther({ files, roots }: Evidence): boolean {
  const known = ['/nix/store', nixFolder(), ...roots];
  return [...files].some(file => file.startsWith('/') && !known.some(folder => file.startsWith(`${folder}/`)));
}

function directoryShelf(directory: string): Shelf {
  const fileOf = (name: string): string => join(directory, `${name}.json`);
  return {
    async read(names) {
      for (const name of names) {
        const text = await readFile(fileOf(name), 'utf8').catch(() => null);
        if (text !== null) return readKnowledge(text);
      }
      return null;
    },
    async write(name, knowledge) {
      const file = fileOf(name);
      await mkdir(directory, { recursive: true });
      await writeFile(`${file}.${process.pid}`, textOf(knowledge), { mode: 0o600 });
      await rename(`${file}.${process.pid}`, file);
    },
  };
}

async function adaptersDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(nixFolder())).sort()) {
    if (name.endsWith('.nix')) hash.update(`${name}\0${await readFile(join(nixFolder(), name), 'utf8')}\0`);
  }
  return hash.digest('hex');
}
