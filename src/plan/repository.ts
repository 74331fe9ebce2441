import { resolve } from 'node:path';
import type { Query } from '../context.ts';
import { CommandError } from '../errors.ts';

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

/** Null if `folder` is not in a Git work tree, or if there is no Git. */
export async function repositoryOf(folder: string, query: Query): Promise<Repository | null> {
  const git = gitIn(folder, query);
  const [root, commit, status, shallow] = await Promise.all([
    git('rev-parse', '--show-toplevel'),
    git('rev-parse', '--verify', 'HEAD'),
    git('status', '--porcelain', '--untracked-files=no'),
    git('rev-parse', '--is-shallow-repository'),
  ]);
  if (root === null) return null;
  return {
    root: resolve(root.trim()),
    commit: commit?.trim() ?? null,
    dirty: status?.trim() !== '',
    shallow: shallow?.trim() === 'true',
  };
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
