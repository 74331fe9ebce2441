import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { PlanConfig } from '../config.ts';
import { nixFolder } from '../evaluation/adapter.ts';
import type { SourceEvaluation } from '../evaluation/source-evaluation.ts';
import { type Evidence, ownFiles } from '../pins/problems.ts';
import { reachesOut, readsMachine } from '../pins/scan.ts';
import { type Git, gitIn } from '../repository.ts';
import type { Source } from '../source.ts';
import { ActionsCacheStore } from './actions-cache.ts';
import { directoryStore } from './plan-store.ts';

/** The plans of earlier runs for this source in this state. */
export interface PlanCache {
  read(): Promise<SourceEvaluation | null>;
  /** Keeps an evaluation, unless it depends on more than what its name identifies. */
  write(evaluation: SourceEvaluation, evidence: Evidence): Promise<void>;
}

/** The metadata of its commit that a flake can read. */
const commitAttributes = '\\b(rev|shortRev|dirtyRev|revCount|lastModified|lastModifiedDate|sourceInfo)\\b';

/**
 * The cache for a source; null if its state has no name: outside Git, with uncommitted changes, or if no cache is configured.
 *
 * An evaluation is named after everything that it depends on: the files of the source (Git's tree of its folder; that of the
 * whole repository if files outside of the folder may have been read), our adapters, the version of Nix, the kind of machine,
 * and the inputs.
 */
export async function planCache(config: PlanConfig, source: Source): Promise<PlanCache | null> {
  const place = config.planCache;
  const { repository, nix, context } = source;
  if (place === null || repository === null || repository.dirty || repository.commit === null) return null;
  const git = gitIn(source.root, context.query);
  const names = await namesOf(repository.commit, source, config, git);
  if (names === null) return null;
  const store = typeof place === 'string' ? directoryStore(place) : new ActionsCacheStore(place, nix, context);
  return {
    read: () => store.read([names.folder, names.repository]),
    async write(evaluation, evidence) {
      const scope = await scopeOf(evidence, git);
      if (scope !== null) await store.write(names[scope], evaluation);
    },
  };
}

/** What an evaluation depends on: the files of the source's folder, or of the whole repository. */
type Scope = 'folder' | 'repository';

async function namesOf(
  commit: string,
  source: Source,
  config: PlanConfig,
  git: Git,
): Promise<Record<Scope, string> | null> {
  const folder = relative(source.root, resolve(source.folder));
  const [trees, usesCommit, hidden] = await Promise.all([
    git('rev-parse', `${commit}:${folder}`, `${commit}:`),
    git('grep', '-qE', commitAttributes, commit, '--', '*.nix'),
    namesUntracked(commit, git),
  ]);
  if (trees === null || hidden) return null;
  const [folderTree, rootTree] = trees.trim().split('\n');
  const inputs = JSON.stringify([
    'plan 2',
    source.nix.installation.version,
    await adaptersDigest(),
    arch(),
    folder,
    config.format,
    config.attribute,
    source.files,
    source.inputs.arguments,
    config.nixpkgs,
    config.nixpkgsPin,
    config.system,
    // A flake that reads its commit is different in every commit.
    usesCommit === null ? null : commit,
  ]);
  const nameOf = (scope: string, tree: string | undefined): string =>
    createHash('sha256').update(`${scope} ${tree} ${inputs}`).digest('hex');
  return { folder: nameOf('source', folderTree), repository: nameOf('repository', rootTree) };
}

/** What the evaluation depends on; null if it depends on more than the repository. */
async function scopeOf(evidence: Evidence, git: Git): Promise<Scope | null> {
  const { folder: absolute, root, inputs } = evidence.source;
  if (inputs.nixpkgsPin === 'warn' || inputs.allowedPaths.length > 0 || readsOther(evidence)) return null;
  const own = ownFiles(evidence);
  const tracked = new Set(((await git('ls-files', '-z')) ?? '').split('\0'));
  if (own.some(path => !tracked.has(path))) return null;
  const texts = await Promise.all(own.map(path => readFile(join(root, path), 'utf8')));
  if (texts.some(readsMachine)) return null;
  const folder = relative(root, resolve(absolute));
  if (folder === '') return 'folder';
  const entries = await git('ls-files', '-s', '--', absolute);
  const hasLinks = entries === null || /^120000 /m.test(entries);
  const staysInside = own.every((path, index) => {
    const inside = relative(folder, dirname(path)).split('/').filter(Boolean);
    return inside[0] !== '..' && !reachesOut(texts[index] ?? '', inside.length);
  });
  return staysInside && !hasLinks ? 'folder' : 'repository';
}

/** Whether the repository's Nix files contain the name of an existing file that Git does not track. */
async function namesUntracked(commit: string, git: Git): Promise<boolean> {
  const others = ((await git('ls-files', '--others', '--directory', '-z')) ?? '').split('\0').filter(Boolean);
  // The end of a path, as written in Nix.
  const patterns = others.flatMap(path => ['-e', `/${basename(path)}`]);
  return patterns.length > 0 && (await git('grep', '-qF', ...patterns, commit, '--', '*.nix')) !== null;
}

/** Whether files were evaluated that are neither in the repository nor in the store nor ours. */
function readsOther({ files, roots }: Evidence): boolean {
  const known = ['/nix/store', nixFolder(), ...roots];
  return [...files].some(file => file.startsWith('/') && !known.some(folder => file.startsWith(`${folder}/`)));
}

async function adaptersDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(nixFolder())).sort()) {
    if (name.endsWith('.nix')) hash.update(`${name}\0${await readFile(join(nixFolder(), name), 'utf8')}\0`);
  }
  return hash.digest('hex');
}
