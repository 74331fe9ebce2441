import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { CommandError } from '../errors.ts';
import type { Exec } from '../exec.ts';
import type { Nix } from '../nix/index.ts';
import { nixFolder } from './adapter.ts';
import type { PlanConfig } from './config.ts';
import type { Format, Pin } from './fleet.ts';
import type { Repository } from './git.ts';
import type { Answer } from './host.ts';

/** What was learnt of a source; a plan is made from it. */
export interface Knowledge {
  format: Format;
  detected: string | null;
  main: string;
  names: string[];
  notes: Record<string, unknown>;
  /** Host → what its evaluation answered. */
  answers: Record<string, Answer>;
  /** Host → what is known of its target, also where it was not evaluated as a whole. */
  deployments: Record<string, unknown>;
  /** Path of a nixpkgs → how it is fixed. */
  pins: Record<string, Pin>;
}

/** Records without a prototype: a host may be named `constructor`. */
export function nothingKnown(): Pick<Knowledge, 'answers' | 'deployments' | 'pins'> {
  return { answers: Object.create(null), deployments: Object.create(null), pins: Object.create(null) };
}

function readKnowledge(text: string): Knowledge {
  const kept = JSON.parse(text) as Knowledge;
  const records = nothingKnown();
  for (const [name, record] of Object.entries(records)) Object.assign(record, kept[name as keyof typeof records]);
  return { ...kept, ...records };
}

/** Where the plans of earlier runs are kept for this source in this state. */
export interface PlanCache {
  read(): Promise<Knowledge | null>;
  /** @param own the repository's files that were evaluated, relative to its root. */
  write(knowledge: Knowledge, own: readonly string[]): Promise<void>;
}

/** What a flake may know of its commit besides its files. */
const knowsCommit = '\\b(rev|shortRev|dirtyRev|revCount|lastModified|lastModifiedDate|sourceInfo)\\b';

/**
 * The cache for a source; null when its state has no name: outside Git, with changes, or without a directory to keep it.
 *
 * The key is of all that an answer comes from: the files of the source (Git's tree; the whole repository's where files
 * outside the source were read), our adapters, the version of Nix, and how the source is asked.
 */
export async function planCache(
  config: PlanConfig,
  repository: Repository | null,
  nix: Nix,
  exec: Exec,
): Promise<PlanCache | null> {
  const directory = config.planCache;
  if (directory === null || repository === null || repository.dirty || repository.commit === null) return null;
  const { root, commit } = repository;
  const git = async (...args: string[]): Promise<string | null> => {
    try {
      return (await exec('git', ['-C', root, ...args])).stdout;
    } catch (error) {
      if (error instanceof CommandError) return null;
      throw error;
    }
  };
  const folder = relative(root, resolve(config.source));
  const [trees, named] = await Promise.all([
    git('rev-parse', `${commit}:${folder === '' ? '' : folder}`, `${commit}:`),
    git('grep', '-qE', knowsCommit, commit, '--', '*.nix'),
  ]);
  if (trees === null) return null;
  const [sourceTree, rootTree] = trees.trim().split('\n');
  const asked = JSON.stringify([
    'plan 1',
    nix.installation.version,
    await adaptersDigest(),
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
  const file = (scope: string, tree: string | undefined): string =>
    join(directory, `${createHash('sha256').update(`${scope} ${tree} ${asked}`).digest('hex')}.json`);
  const files = { source: file('source', sourceTree), repository: file('repository', rootTree) };

  return {
    async read() {
      for (const path of [files.source, files.repository]) {
        const text = await readFile(path, 'utf8').catch(() => null);
        if (text !== null) return readKnowledge(text);
      }
      return null;
    },
    async write(knowledge, own) {
      if (config.nixpkgsPin === 'warn') return;
      // What Git does not know of has no part in the key.
      const tracked = new Set(((await git('ls-files', '-z')) ?? '').split('\0'));
      if (own.some(path => !tracked.has(path))) return;
      const within = own.every(path => folder === '' || path.startsWith(`${folder}/`));
      const path = within ? files.source : files.repository;
      await mkdir(directory, { recursive: true });
      await writeFile(`${path}.${process.pid}`, JSON.stringify(withoutSecrets(knowledge)), { mode: 0o600 });
      await rename(`${path}.${process.pid}`, path);
    },
  };
}

/** A host whose secrets stand in the configuration as text is not kept. */
function withoutSecrets(knowledge: Knowledge): Knowledge {
  const open = (deployment: unknown): boolean => !JSON.stringify(deployment ?? null).includes('"source":{"text":');
  return {
    ...knowledge,
    answers: Object.fromEntries(Object.entries(knowledge.answers).filter(([, answer]) => open(answer.deployment))),
    deployments: Object.fromEntries(Object.entries(knowledge.deployments).filter(([, said]) => open(said))),
  };
}

async function adaptersDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(nixFolder())).sort()) {
    if (name.endsWith('.nix')) hash.update(`${name}\0${await readFile(join(nixFolder(), name), 'utf8')}\0`);
  }
  return hash.digest('hex');
}
