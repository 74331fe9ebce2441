import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Context, Query } from '../context.ts';
import { CommandError, exitedWithFailure, UserError } from '../errors.ts';

/** The Git repository that holds the configuration. */
export interface Repository {
  /** Absolute path of the work tree. */
  root: string;
  /** 40 hex digits; null before the first commit. */
  commit: string | null;
  /** True if tracked files differ from `commit`. */
  dirty: boolean;
  /** True for a clone without history, as actions/checkout makes it. */
  shallow: boolean;
  /** Submodules, also those inside other submodules. */
  submodules: Submodule[];
  /** Files whose content is not there: the work tree has a pointer of Git LFS, or what git-crypt encrypted. */
  encoded: EncodedFile[];
}

export interface Submodule {
  /** Relative to the root. */
  path: string;
  checkedOut: boolean;
}

export interface EncodedFile {
  /** Relative to the root. */
  file: string;
  by: 'Git LFS' | 'git-crypt';
}

/** Runs Git and returns its standard output; null if it fails, which `git grep` also does if it finds nothing. */
export type Git = (...args: string[]) => Promise<string | null>;

/** Git in a folder. A failure, for example because there is no Git, is not an error. */
export function gitIn(folder: string, query: Query): Git {
  return async (...args) => {
    try {
      return (await query('git', ['-C', folder, ...args])).stdout;
    } catch (error) {
      if (error instanceof CommandError) return null;
      throw error;
    }
  };
}

/**
 * Null if `folder` is not in a Git work tree.
 *
 * @throws UserError if Git cannot read the repository, for example because of its owner: its files must not be taken for
 *   those of a folder without Git, of which everything may be packed and evaluated.
 */
export async function repositoryOf(
  folder: string,
  { query, environment }: Pick<Context, 'query' | 'environment'>,
): Promise<Repository | null> {
  const found = await rootOf(folder, query, environment);
  if (found === null) return null;
  const { root } = found;
  const status = await gitIn(folder, query)('status', '--porcelain=v2', '--branch', '--untracked-files=no');
  const [, commit] = /^# branch\.oid ([0-9a-f]+)$/m.exec(status ?? '') ?? [];
  return {
    ...found,
    commit: commit ?? null,
    dirty: status === null || /^[^#\n]/m.test(status),
    submodules: await submodulesOf(root, gitIn(root, query)),
    encoded: await encodedIn(root, gitIn(root, query)),
  };
}

/** The root of the work tree that `folder` is in; null if there is none. @throws UserError as `repositoryOf` */
async function rootOf(
  folder: string,
  query: Query,
  environment: Context['environment'],
): Promise<Pick<Repository, 'root' | 'shallow'> | null> {
  try {
    // Its messages are translated.
    const env = { ...environment, LC_ALL: 'C' };
    const args = ['-C', folder, 'rev-parse', '--is-shallow-repository', '--show-toplevel'];
    const [shallow, ...path] = (await query('git', args, { env })).stdout.trim().split('\n');
    return { root: resolve(path.join('\n')), shallow: shallow === 'true' };
  } catch (error) {
    if (exitedWithFailure(error) && /^fatal: not a git repository/m.test(error.stderr)) return null;
    const above = repositoryAbove(folder);
    const missing = error instanceof CommandError && error.failure.kind === 'missing';
    if (missing && above === null) return null;
    if (!missing && !exitedWithFailure(error)) throw error;
    const why = missing ? 'Git is not installed' : firstLine((error as CommandError).stderr);
    throw new UserError(`Git cannot read the repository in ${above ?? folder}: ${why}.`, {
      where: { file: above ?? folder },
      cure: /dubious ownership/.test(why)
        ? `If you trust its owner, run \`git config --global --add safe.directory ${above ?? folder}\` in an earlier step, or check it out as the user of this step.`
        : missing
          ? 'Install Git.'
          : `Run \`git -C ${folder} status\` there to see what is wrong.`,
      cause: error,
    });
  }
}

/** The nearest folder, from `folder` up, that contains a `.git`. */
function repositoryAbove(folder: string): string | null {
  if (existsSync(join(folder, '.git'))) return folder;
  return dirname(folder) === folder ? null : repositoryAbove(dirname(folder));
}

function firstLine(text: string): string {
  return (text.trim().split('\n')[0] ?? '').replace(/^fatal: /, '');
}

async function submodulesOf(root: string, git: Git): Promise<Submodule[]> {
  if (!existsSync(join(root, '.gitmodules'))) return [];
  // ` <commit> <path> (<name>)`, and `-` instead of the first space if it is not checked out.
  const printed = (await git('submodule', 'status', '--recursive')) ?? '';
  return Array.from(printed.matchAll(/^(.)[0-9a-f]+ (.*?)(?: \([^()]*\))?$/gm), ([, sign, path]) => ({
    path: path ?? '',
    checkedOut: sign !== '-',
  }));
}

const filters = { lfs: 'Git LFS', 'git-crypt': 'git-crypt' } as const;

async function encodedIn(root: string, git: Git): Promise<EncodedFile[]> {
  if (!existsSync(join(root, '.gitattributes'))) return [];
  const lists = Object.entries(filters).map(async ([filter, by]) => {
    const printed = (await git('ls-files', '-z', `:(attr:filter=${filter})`)) ?? '';
    const files = printed.split('\0').filter(file => file !== '' && isEncoded(join(root, file)));
    return files.map(file => ({ file, by }));
  });
  return (await Promise.all(lists)).flat();
}

/** By its first bytes: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md, and git-crypt's commands.cpp. */
function isEncoded(file: string): boolean {
  if (!existsSync(file)) return false;
  const descriptor = openSync(file, 'r');
  try {
    const head = Buffer.alloc(64);
    readSync(descriptor, head, 0, head.length, 0);
    const text = head.toString('latin1');
    return text.startsWith('version https://git-lfs.github.com/spec/') || text.startsWith('\0GITCRYPT\0');
  } finally {
    closeSync(descriptor);
  }
}

/** Where a commit comes from; null: unknown. */
export interface History {
  /** The address of the remote `origin`, without credentials. */
  remote: string | null;
  branch: string | null;
  /** When the checked out commit was made, in seconds since 1970. */
  committed: number | null;
}

/** The history of what is checked out in a folder. */
export async function historyOf(folder: string, query: Query): Promise<History> {
  const git = gitIn(folder, query);
  const [remote, branch, committed] = await Promise.all([
    git('config', '--get', 'remote.origin.url'),
    git('symbolic-ref', '--quiet', '--short', 'HEAD'),
    git('log', '-1', '--format=%ct', 'HEAD'),
  ]);
  const seconds = Number(committed?.trim() || Number.NaN);
  return {
    remote: remote?.trim().replace(/^([a-z+]+:\/\/)[^@/]*@/, '$1') || null,
    branch: branch?.trim() || null,
    committed: Number.isFinite(seconds) ? seconds : null,
  };
}
